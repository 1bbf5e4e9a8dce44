"""Entering a shell: prove that it is one, give it the function that checks commands, calm it down."""

from __future__ import annotations

from runner.api import Context, TimedOut
from runner.console import frame
from runner.console.exchange import Answer, Exchange
from runner.console.keyboard import CLEAR, clear, say_checked
from runner.console.live import Deadline, Live, Place
from runner.console.waiting import limit_evidence

_ERASE = b"\x15"
_SACRIFICE = "    "
"""A line that begins with spaces stays out of the history, and may lose its first characters."""


def enter(live: Live, nonces: frame.Nonces, deadline: Deadline, context: Context) -> None:
    """Make a proven shell ready for commands; a minimal one stays as it is. Raise TimedOut for none."""
    prove(live, nonces, deadline, context)
    place = Place(kind="plain shell")
    pace = live.pace
    for attempt in range(2):
        if _install(live, nonces, deadline, context):
            place = Place(kind="shell")
            break
        clear(live, context)
        if attempt == 0:
            live.slow_down()
    live.place = place
    if place.kind == "plain shell":
        live.pace = pace  # it was not the speed
        context.log(
            f"console {live.name!r}: this shell takes no function; "
            "each command is compared with its echo instead"
        )
        return
    place.kernel_level = _calm_down(live, nonces, deadline, context)


def prove(live: Live, nonces: frame.Nonces, deadline: Deadline, context: Context) -> None:
    """Have a shell print a fresh word; raise TimedOut when nothing does within a few tries."""
    start = live.transcript.position
    for first in (_ERASE, CLEAR, _ERASE):  # dash drops a line that comes right behind Ctrl-C
        if proven(live, nonces, deadline, context, first=first):
            return
        if live.clock() >= deadline.until:
            break
    live.check_present()
    raise TimedOut(
        f"console {live.name!r}: no shell answers",
        evidence=limit_evidence(live, deadline, start),
        hint="console_login first, or look at what the console says",
    )


def proven(
    live: Live, nonces: frame.Nonces, deadline: Deadline, context: Context, *, first: bytes = _ERASE
) -> bool:
    """Tell whether a shell answers within the time that `answer` gives it."""
    nonce = nonces.next(4)
    line = f"{_SACRIFICE}echo }}{nonce[:2]}''{nonce[2:]}$?{live.settings.newline}"
    with live.source.lock:
        exchange = Exchange(live.transcript, nonce, live.transcript.position, begins=False)
    with live.listening(exchange):
        live.send(first + line.encode(), context)
        live.wait(exchange, min(live.clock() + live.settings.answer, deadline.until), context)
    return exchange.answer is not None


def _install(live: Live, nonces: frame.Nonces, deadline: Deadline, context: Context) -> bool:
    """Define the function and try it on a comment that holds every character of its table."""
    nonce = nonces.next(4)
    lines = (
        _SACRIFICE + frame.NO_EDITING,
        _SACRIFICE + frame.TABLE,
        _SACRIFICE + frame.FUNCTION,
        frame.checked_line(frame.SELF_TEST, nonce),
    )
    return _answered(live, nonce, live.settings.newline.join(lines), deadline, context) is not None


def _calm_down(live: Live, nonces: frame.Nonces, deadline: Deadline, context: Context) -> str:
    """Switch off echo, history, prompts and chatter as far as this shell can; return the old log level."""
    nonce = nonces.next(4)
    command = frame.calm(live.settings.kernel_level)
    answer = _answered(live, nonce, frame.checked_line(command, nonce), deadline, context)
    level = answer.output.decode("ascii", "replace").strip() if answer else ""
    return level if level.isdigit() else ""


def _answered(live: Live, nonce: str, line: str, deadline: Deadline, context: Context) -> Answer | None:
    return say_checked(live, nonce, line, deadline, context).answer
