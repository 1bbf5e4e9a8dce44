"""Entering a boot loader: keys from power-on until its prompt has proven that it is one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runner.api import Context, Duration, Failed, LabError, TimedOut
from runner.console.expectation import Expectation
from runner.console.frame import Nonces
from runner.console.keyboard import CLEAR
from runner.console.live import Deadline, Live, Place
from runner.console.pattern import Pattern, exact
from runner.console.prompts import prompt_pattern, prompts, shown_prompts
from runner.console.results import Entered
from runner.console.search import Sighting
from runner.console.settings import Interrupt
from runner.console.uboot import Prompt, find_prompt
from runner.console.waiting import limit_evidence, shown

_WANTS_KEY = exact("any key to stop", "wants a key")
_COUNTS_DOWN = tuple(
    exact(text, "counts down") for text in ("top autoboot", "utoboot in", "to abort", "to interrupt")
)
_ASKS_PASSWORD = exact("assword", "asks for a password")
_MENU = tuple(
    exact(text, "menu") for text in ("*** U-Boot Boot Menu ***", "is highlighted", "Enter choice: ")
)
"""U-Boot, cmd/bootmenu.c; GRUB, normal/menu_text.c; U-Boot, common/menu.c (extlinux)."""
_AUTOBOOT = (_WANTS_KEY, *_COUNTS_DOWN, _ASKS_PASSWORD, *_MENU)
_KERNEL = (
    exact("Starting kernel", "kernel"),
    exact("Linux version ", "kernel"),
    exact("Booting Linux on", "kernel"),
)
_FIRST_STAGE = re.compile(rb"^U-Boot SPL ", re.MULTILINE)
_BANNER = re.compile(
    rb"^(?:U-Boot (?![ST]PL )[^\n]*\d|barebox \d|[^\n]{0,80}GNU GRUB +version)[^\n]*", re.MULTILINE
)
_PASSWORDS = 3
_SLOWLY = 10
"""Times the interval between two keys where a password follows: they would become part of it."""
_PROMPT_HINT = "does settings: {uboot: {prompt: …}} of this console name what the tail ends with?"


@dataclass
class _Entry:
    """What is known while keys are sent."""

    start: int
    seen: int
    flooding: bool
    flood_until: float
    next_key: float
    interval: float
    sent: int = 0
    """How many keys."""
    passwords: int = 0
    answered: int = -1
    """Where the line begins that was answered last."""


def enter(live: Live, nonces: Nonces, context: Context, *, interrupt: Interrupt, within: Duration) -> Entered:
    """Send keys until the prompt is there and proven. See `Console.enter_uboot`."""
    deadline = Deadline(live, within, "within", context)
    was, live.place = live.place, Place()
    if not live.stages.begun:
        with live.source.lock:
            live.stages.begin("", deadline.started)
    entry = _entry(live, interrupt, deadline, was)
    while live.clock() < deadline.until:
        if _reach_prompt(live, entry, interrupt, deadline, context):
            place = _prove(live, interrupt, nonces, deadline, context)
            if place is not None:
                live.place = place
                return _entered(live, entry, deadline)
            entry.next_key = live.clock()
    live.check_present()
    raise _timed_out(live, entry, deadline)


def _entry(live: Live, interrupt: Interrupt, deadline: Deadline, was: Place) -> _Entry:
    """Begin where the start began; behind everything that led to a shell, if one was there meanwhile."""
    transcript = live.transcript
    marked = transcript.marked_at("power_on") is not None
    start = transcript.since("power_on") if marked else transcript.position
    window = deadline.until if interrupt.window is None else live.clock() + interrupt.window
    early = interrupt.mode == "flood" or (interrupt.mode == "both" and interrupt.password is None)
    fresh = marked and was.kind not in ("shell", "plain shell")
    seen = max(start, transcript.last) if fresh else transcript.position
    return _Entry(start, seen, early, window, live.clock(), interrupt.interval)


def _reach_prompt(
    live: Live, entry: _Entry, interrupt: Interrupt, deadline: Deadline, context: Context
) -> bool:
    """Send keys until something looks like the prompt; False when the time is over."""
    prompt = prompt_pattern(live.settings.uboot)
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
        _answer(live, entry, interrupt, seen, deadline, context)
    return False


def _floods(live: Live, entry: _Entry) -> bool:
    return entry.flooding and live.clock() < entry.flood_until


def _press(live: Live, entry: _Entry, interrupt: Interrupt, context: Context) -> None:
    if not _floods(live, entry):
        return
    if interrupt.password is not None and interrupt.mode == "flood":
        live.send(interrupt.password.encode(), context)
    else:
        _send_key(live, entry, interrupt, context)
    entry.next_key = live.clock() + entry.interval


def _send_key(live: Live, entry: _Entry, interrupt: Interrupt, context: Context) -> None:
    keys = (interrupt.keys,) if isinstance(interrupt.keys, str) else tuple(interrupt.keys)
    live.send(keys[entry.sent % len(keys)].encode(), context)
    entry.sent += 1


def _answer(
    live: Live,
    entry: _Entry,
    interrupt: Interrupt,
    seen: Sighting,
    deadline: Deadline,
    context: Context,
) -> None:
    """Send at once what was asked for; a line is answered once."""
    line = live.transcript.text.line_start(live.transcript.text.offset_of(seen.start))
    if line == entry.answered and seen.pattern not in _MENU:
        return
    entry.answered = line
    if seen.pattern in _MENU:
        live.send(_leaves_menu(live, interrupt), context)
    elif _wants_password(interrupt, seen.pattern):
        _give_password(live, entry, interrupt, deadline, context)
    else:
        _send_key(live, entry, interrupt, context)
        _go_on(live, entry, interrupt)


def _leaves_menu(live: Live, interrupt: Interrupt) -> bytes:
    usual = "c" if live.settings.uboot.loader == "grub" else "\x03"
    return (interrupt.menu or usual).encode()


def _wants_password(interrupt: Interrupt, seen: Pattern) -> bool:
    by_key = seen is _WANTS_KEY and bool(interrupt.keys)
    return seen is _ASKS_PASSWORD or (interrupt.password is not None and not by_key)


def _give_password(
    live: Live, entry: _Entry, interrupt: Interrupt, deadline: Deadline, context: Context
) -> None:
    if interrupt.password is None or entry.passwords >= _PASSWORDS:
        raise _no_password(live, entry, interrupt, deadline)
    entry.passwords += 1
    entry.flooding = False
    live.send((interrupt.password + live.settings.newline).encode(), context)


def _go_on(live: Live, entry: _Entry, interrupt: Interrupt) -> None:
    """Keep sending keys: the prompt has to come now, or the question for the password."""
    entry.flooding, entry.flood_until = True, float("inf")
    entry.interval = interrupt.interval * (1 if interrupt.password is None else _SLOWLY)
    entry.next_key = live.clock() + entry.interval


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
    text = live.transcript.text
    banner = text.search(_BANNER, text.offset_of(entry.start), text.end)
    with live.source.lock:
        return Entered(
            version=shown(banner.text).strip() if banner else "",
            hush=live.place.hush,
            elapsed=Duration(live.clock() - deadline.started),
            boot=live.stages.boot,
        )


def _missed(live: Live, text: bytes) -> Failed:
    return Failed(
        f"console {live.name!r}: U-Boot was not interrupted, the kernel starts ({shown(text).strip()!r})",
        evidence={"seen": shown(text), "tail": live.transcript.tail(12)},
        hint="send keys earlier (interrupt: {mode: both}) or other ones; is bootdelay negative?",
    )


def _no_password(live: Live, entry: _Entry, interrupt: Interrupt, deadline: Deadline) -> Failed:
    given = interrupt.password is not None
    return Failed(
        f"console {live.name!r}: the boot loader "
        + ("refuses the password" if given else "asks for a password, and none is given"),
        evidence={"sent": entry.passwords, **limit_evidence(live, deadline, entry.start)},
        hint="" if given else "write interrupt: {password: !secret …}",
    )


def _timed_out(live: Live, entry: _Entry, deadline: Deadline) -> TimedOut:
    text = live.transcript.text
    starts = len(_FIRST_STAGE.findall(text.slice(text.offset_of(entry.start), text.end)))
    what, hint = f"no prompt {shown_prompts(live.settings.uboot)} that answers", _PROMPT_HINT
    if live.transcript.position == entry.start:
        what, hint = "nothing came from the board", "is it powered, and is this its console?"
    elif starts >= 3:
        what = f"the board starts again and again (its first stage {starts} times) and no prompt came"
        hint = "is its supply strong enough, and what does it say before it starts anew?"
    wanted = [exact(each, "prompt") for each in prompts(live.settings.uboot)]
    return TimedOut(
        f"console {live.name!r}: {what} within {Duration(deadline.seconds)}",
        evidence=limit_evidence(live, deadline, entry.start, wanted),
        hint=hint,
    )
