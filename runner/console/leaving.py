"""Leaving a system for good: logging out, and switching it off."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from runner.api import Context, Duration, Failed, LabError, TimedOut
from runner.console import frame
from runner.console.closing import leave_shell
from runner.console.enter import enter, proven
from runner.console.expectation import Expectation
from runner.console.keyboard import note_damage
from runner.console.live import Deadline, Live, Place
from runner.console.pattern import Pattern, exact, regex
from runner.console.results import LoggedOut, PoweredOff
from runner.console.search import Sighting
from runner.console.waiting import limit_evidence, shown

_ACTIVATE = exact("press Enter to activate this console", "a console to be activated")
_DEEPEST = 8
"""Shells inside shells that are left."""
_DOWN = (
    regex(r"(?:reboot: |^)Power down\b", "down"),
    regex(r"(?:reboot: |^)System halted\b", "halted"),
)
"""kernel/reboot.c, `kernel_power_off` and `kernel_halt`; older kernels print them without a prefix."""
_HOW: Mapping[str, Literal["power down", "system halted"]] = MappingProxyType(
    {"down": "power down", "halted": "system halted"}
)
_ENDED = "ended"
_REFUSED = exact(frame.REFUSED, "damaged")


def log_out(live: Live, nonces: frame.Nonces, context: Context, *, within: Duration) -> LoggedOut:
    """End the shell, and those around it, until the login asks again. See `Console.logout`."""
    deadline = Deadline(live, within, "within", context)
    login = regex(live.settings.login.login_prompt, "login")
    start = live.transcript.position
    if _at_login(live, login):
        return LoggedOut(already=True, shells=0, elapsed=Duration(0))
    if live.place.kind not in ("shell", "plain shell"):
        enter(live, nonces, deadline, context)
    leave_shell(live, nonces)
    live.place = Place()
    for shells in range(1, _DEEPEST + 1):
        seen = _leave(live, login, deadline, context)
        if seen is None:
            break
        live.transcript.last = seen.start
        if seen.pattern.name != "shell":
            elapsed = Duration(max(live.clock() - deadline.started, 0.0))
            return LoggedOut(already=False, shells=shells, elapsed=elapsed)
    live.check_present()
    raise TimedOut(
        f"console {live.name!r}: no login prompt within {Duration(deadline.seconds)} after leaving the shell",
        evidence=limit_evidence(live, deadline, start),
        hint="does anything ask for a login on this console? Without one there is nothing to come back to",
    )


def _at_login(live: Live, login: Pattern) -> bool:
    text = live.transcript.text
    last = text.slice(text.line_start(text.end), text.end)
    expression = login.regex or re.compile(re.escape(login.exact or b""))
    found = expression.search(last)
    return found is not None and not last[found.end() :].strip()


def _leave(live: Live, login: Pattern, deadline: Deadline, context: Context) -> Sighting | None:
    """End one shell; return the prompt that comes then."""
    prompt = regex(rf"^[^\n]{{0,120}}?(?:{live.settings.prompt})$", "shell")
    with live.source.lock:
        start = live.transcript.position
        seen = Expectation(live.transcript, (login, _ACTIVATE, prompt), start)
    with live.listening(seen):
        live.send(b"exit" + live.settings.newline.encode(), context)
        live.wait(seen, deadline.until, context)
    return seen.found[-1] if seen.done else None


def power_off(
    live: Live,
    nonces: frame.Nonces,
    context: Context,
    *,
    command: str,
    silence: Duration,
    within: Duration,
) -> PoweredOff:
    """Have the system end itself. See `Console.poweroff`."""
    frame.refuse_untypable(command, "the command")
    deadline = Deadline(live, within, "within", context)
    if live.place.kind not in ("shell", "plain shell"):
        enter(live, nonces, deadline, context)
    start = live.transcript.position
    seen = _asked_to_end(live, nonces, command, deadline, silence, context)
    if seen is not None and seen.pattern.name == _ENDED:
        _refuse_failure(live, seen, command, start)
        seen = _down(live, _DOWN, seen.end, deadline, silence, context)
    if seen is None and not live.source.gone and proven(live, nonces, deadline, context):
        raise Failed(
            f"console {live.name!r}: the shell still answers after {command!r} and {silence} of silence",
            evidence={"tail": live.transcript.tail(8, start)},
        )
    live.transcript.last = live.transcript.position
    return PoweredOff(
        how=_HOW[seen.pattern.name] if seen else "silence",
        line=shown(seen.hit.text).strip() if seen else "",
        elapsed=Duration(max(live.clock() - deadline.started, 0.0)),
    )


def _asked_to_end(
    live: Live,
    nonces: frame.Nonces,
    command: str,
    deadline: Deadline,
    silence: float,
    context: Context,
) -> Sighting | None:
    """Type the command; return its end, or the end of all. Raise LabError when it arrives damaged, twice."""
    place, live.place = live.place, Place()
    for attempt in range(2):
        nonce = nonces.next(4)
        line = f"eval {frame.quoted(command)};{frame.closing(nonce)}"
        if place.kind == "shell":
            line = frame.checked_line(f"{frame.restore(place.kernel_level)};{command}", nonce)
        start = live.transcript.position
        live.send((line + live.settings.newline).encode(), context)
        patterns = (*_DOWN, _REFUSED, regex(rf"}}{nonce}(?P<status>\d+)", _ENDED))
        seen = _down(live, patterns, start, deadline, silence, context)
        if seen is None or seen.pattern is not _REFUSED:
            return seen
        if attempt == 0:
            note_damage(live, command, context)
    raise LabError(
        f"console {live.name!r}: the command arrives damaged, also when typed again: {command}",
        hint="set char_delay on this console, and check its speed and wiring",
    )


def _down(
    live: Live,
    patterns: tuple[Pattern, ...],
    start: int,
    deadline: Deadline,
    silence: float,
    context: Context,
) -> Sighting | None:
    """Wait for the last words; None when they do not come, but nothing else does either for long."""
    with live.source.lock:
        seen = Expectation(live.transcript, patterns, start)
    began = live.clock()
    with live.listening(seen):
        while not seen.done:
            quiet_since = max(began, live.transcript.heard or began)
            if live.clock() >= quiet_since + silence or live.source.gone:
                return None
            if live.clock() >= deadline.until:
                raise TimedOut(
                    f"console {live.name!r}: the system has not ended within {Duration(deadline.seconds)}",
                    evidence=limit_evidence(live, deadline, start),
                )
            live.wait(seen, min(quiet_since + silence, deadline.until), context)
    return seen.found[-1]


def _refuse_failure(live: Live, seen: Sighting, command: str, start: int) -> None:
    status = int(seen.hit.named["status"] or b"0")
    if status:
        raise Failed(
            f"exit status {status}, expected 0: {command}",
            evidence={"status": status, "expected": 0, "tail": live.transcript.tail(8, start)},
        )
