"""Entering U-Boot: keys from power-on until its prompt has proven that it is one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runner.api import Context, Duration, Failed, LabError, TimedOut
from runner.console.expectation import Expectation
from runner.console.frame import Nonces
from runner.console.keyboard import CLEAR
from runner.console.live import Deadline, Live, Place
from runner.console.pattern import Pattern, exact, regex
from runner.console.results import Entered
from runner.console.settings import Interrupt
from runner.console.uboot import Prompt, find_prompt
from runner.console.waiting import limit_evidence, shown

_AUTOBOOT = tuple(
    exact(text, "autoboot")
    for text in ("any key to stop", "top autoboot", "utoboot in", "to abort", "to interrupt", "assword")
)
_KERNEL = (
    exact("Starting kernel", "kernel"),
    exact("Linux version ", "kernel"),
    exact("Booting Linux on", "kernel"),
)
_SPL = re.compile(rb"^U-Boot [ST]PL ", re.MULTILINE)
_PROMPT_HINT = "does settings: {uboot: {prompt: …}} of this console name what the tail ends with?"
_BANNER = re.compile(rb"^U-Boot (?![ST]PL )[^\n]*\d[^\n]*", re.MULTILINE)


@dataclass
class _Entry:
    """What is known while keys are sent."""

    start: int
    seen: int
    flooding: bool
    flood_until: float
    next_key: float


def enter(live: Live, nonces: Nonces, context: Context, *, interrupt: Interrupt, within: Duration) -> Entered:
    """Send keys until the prompt is there and proven. See `Console.enter_uboot`."""
    deadline = Deadline(live, within, "within", context)
    live.place = Place()
    start = (
        live.transcript.since("power_on")
        if live.transcript.marked_at("power_on")
        else live.transcript.position
    )
    window = deadline.until if interrupt.window is None else live.clock() + interrupt.window
    flood = interrupt.mode in ("flood", "both")
    entry = _Entry(start, start, flood, window, live.clock())
    while live.clock() < deadline.until:
        if _reach_prompt(live, entry, interrupt, deadline, context):
            place = _prove(live, interrupt, nonces, deadline, context)
            if place is not None:
                live.place = place
                return _entered(live, entry, deadline)
            entry.next_key = live.clock()
    live.check_present()
    raise _timed_out(live, entry, deadline)


def _reach_prompt(
    live: Live, entry: _Entry, interrupt: Interrupt, deadline: Deadline, context: Context
) -> bool:
    """Send keys until something looks like the prompt; False when the time is over."""
    prompt = regex("^" + re.escape(live.settings.uboot.prompt), "prompt")
    while live.clock() < deadline.until:
        with live.source.lock:
            expectation = Expectation(live.transcript, (prompt, *_AUTOBOOT), entry.seen, forbid=_KERNEL)
        with live.listening(expectation):
            until = entry.next_key if _floods(live, entry) else deadline.until
            live.wait(expectation, min(until, deadline.until), context)
        if expectation.forbidden is not None:
            raise _missed(live, expectation.forbidden.hit.text)
        if not expectation.done:
            _press(live, entry, interrupt, context)
            continue
        seen = expectation.found[-1]
        entry.seen = seen.end
        if seen.pattern is prompt:
            return True
        _answer_autoboot(live, entry, interrupt, seen.pattern, context)
    return False


def _floods(live: Live, entry: _Entry) -> bool:
    return entry.flooding and live.clock() < entry.flood_until


def _press(live: Live, entry: _Entry, interrupt: Interrupt, context: Context) -> None:
    if _floods(live, entry):
        live.send(interrupt.keys.encode(), context)
        entry.next_key = live.clock() + interrupt.interval


def _answer_autoboot(
    live: Live, entry: _Entry, interrupt: Interrupt, pattern: Pattern, context: Context
) -> None:
    """Send what stops autoboot at once, and keep sending keys: the prompt has to come now."""
    if interrupt.password is not None:
        live.send((interrupt.password + live.settings.newline).encode(), context)
    elif pattern.source != "assword":
        live.send(interrupt.keys.encode(), context)
        entry.flooding, entry.flood_until = True, float("inf")
        entry.next_key = live.clock() + interrupt.interval


def _prove(
    live: Live, interrupt: Interrupt, nonces: Nonces, deadline: Deadline, context: Context
) -> Place | None:
    """Let the echoes of the keys pass, then have the prompt answer; None when it does not."""
    _settle(live, interrupt, deadline, context)
    if interrupt.keys != "\x03":  # ESC makes U-Boot swallow one key, so that two are sent
        for _ in range(2):
            live.send(CLEAR, context)
            _settle(live, interrupt, deadline, context)
    prompt = Prompt(live, live.transcript.since("start"))
    prompt.advance(quiet=True)
    if not prompt.done:
        return None
    try:
        return find_prompt(live, nonces, deadline, context)
    except (Failed, LabError) as error:
        context.log(f"what looked like the prompt did not answer: {error.message}")
        live.check_present()
        return None


class _Silence:
    """Is done when nothing has come for a while; only ever ended by its time."""

    done = False

    def advance(self, *, quiet: bool) -> None:
        """Nothing to look at."""


def _settle(live: Live, interrupt: Interrupt, deadline: Deadline, context: Context) -> None:
    """Wait until nothing has come for the time `settle`."""
    since = live.clock()
    while live.clock() < deadline.until:
        heard = max(live.transcript.heard or since, since)
        if live.clock() >= heard + interrupt.settle:
            return
        live.wait(_Silence(), min(heard + interrupt.settle, deadline.until), context)


def _entered(live: Live, entry: _Entry, deadline: Deadline) -> Entered:
    transcript = live.transcript
    origin = transcript.marked_at("power_on") or deadline.started
    text = transcript.text
    begin = text.offset_of(entry.start)
    spl, banner = text.search(_SPL, begin, text.end), text.search(_BANNER, begin, text.end)
    prompt = regex("^" + re.escape(live.settings.uboot.prompt)).regex
    first = text.search(prompt, begin, text.end) if prompt else None

    def since(raw: int | None) -> Duration | None:
        came = None if raw is None else transcript.time_of(raw)
        return None if came is None else Duration(max(came - origin, 0.0))

    return Entered(
        version=shown(banner.text).strip() if banner else "",
        hush=live.place.hush,
        elapsed=Duration(live.clock() - deadline.started),
        first_byte=since(entry.start if transcript.position > entry.start else None),
        spl=since(text.raw_of(spl.start) if spl else None),
        uboot=since(text.raw_of(banner.start) if banner else None),
        prompt=since(text.raw_of(first.end - 1) if first else None),
    )


def _missed(live: Live, text: bytes) -> Failed:
    return Failed(
        f"console {live.name!r}: U-Boot was not interrupted, the kernel starts ({shown(text).strip()!r})",
        evidence={"seen": shown(text), "tail": live.transcript.tail(12)},
        hint="send keys earlier (interrupt: {mode: both}) or other ones; is bootdelay negative?",
    )


def _timed_out(live: Live, entry: _Entry, deadline: Deadline) -> TimedOut:
    what, hint = f"no prompt {live.settings.uboot.prompt!r} that answers", _PROMPT_HINT
    if live.transcript.position == entry.start:
        what, hint = "nothing came from the board", "is it powered, and is this its console?"
    return TimedOut(
        f"console {live.name!r}: {what} within {Duration(deadline.seconds)}",
        evidence=limit_evidence(live, deadline, entry.start),
        hint=hint,
    )
