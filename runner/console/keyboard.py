"""Typing a line so that it arrives: the echo is compared before Enter is pressed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from runner.api import Cancelled, Context, LabError
from runner.console import frame
from runner.console.exchange import Begun, Echo, Exchange
from runner.console.live import Deadline, Live


@dataclass(frozen=True)
class Running:
    """A command that runs."""

    since: int
    """Raw offset from which on it speaks."""
    ends: re.Pattern[bytes]
    """What comes behind the last that it says, as it is in the raw log."""


Meanwhile = Callable[[Running], None]
"""What is done once a command runs: typing what it reads, or speaking its protocol."""

CLEAR = b"\x03"
"""Ctrl-C drops the line in every shell and in U-Boot, and ends a quotation that was left open."""


def type_line(live: Live, line: str, deadline: Deadline, context: Context) -> int:
    """Type a line without Enter until it has come back whole; return how often it was typed again.

    Raise LabError when it does not, twice; the line is cleared then, and nothing was run.
    """
    for attempt in range(2):
        if comes_back(live, line.encode(), deadline, context):
            return attempt
        clear(live, context)
        if attempt == 0:
            note_damage(live, line, context)
    live.check_present()
    raise LabError(
        f"console {live.name!r}: what is typed does not come back as it was, also when typed again",
        evidence={"typed": line, "tail": live.transcript.tail(8)},
        hint="set char_delay on this console, and check its speed and wiring",
    )


def comes_back(live: Live, typed: bytes, deadline: Deadline, context: Context) -> bool:
    """Type bytes and tell whether their echo is the same."""
    with live.source.lock:
        echo = Echo(live.transcript, typed, live.transcript.position)
    with live.listening(echo):
        live.send(typed, context)
        allowed = live.clock() + live.settings.answer + live.typing_time(typed)
        return live.wait(echo, min(allowed, max(deadline.until, live.clock())), context)


def note_damage(live: Live, line: str, context: Context) -> None:
    """Say that a line arrived damaged and is typed again, more slowly."""
    pace = live.slow_down()
    context.log(
        f"console {live.name!r}: {line[:60]!r} arrived damaged; it was not run and is typed again, "
        f"with {pace * 1000:g} ms between characters",
        "warning",
    )


@contextmanager
def interrupting(live: Live) -> Iterator[None]:
    """Interrupt what runs on the board when its step is cancelled."""
    try:
        yield
    except Cancelled:
        if not live.source.gone:
            live.type(CLEAR)
        raise


def clear(live: Live, context: Context) -> None:
    """Drop what is on the line; GRUB knows Ctrl-U only."""
    live.send(b"\x15" + CLEAR, context)


def say_checked(
    live: Live,
    nonce: str,
    line: str,
    deadline: Deadline,
    context: Context,
    *,
    meanwhile: Meanwhile | None = None,
) -> Exchange:
    """Type a line for the function and wait: for its beginning not long, for its end as long as allowed."""
    typed = (line + live.settings.newline).encode()
    with live.source.lock:
        exchange = Exchange(live.transcript, nonce, live.transcript.position, begins=True)
    begun = Begun(exchange)
    with live.listening(begun):
        live.send(typed, context)
        patience = live.clock() + live.settings.answer
        live.wait(begun, min(patience, deadline.until), context)
    if exchange.begun is not None:
        if meanwhile is not None:
            meanwhile(Running(exchange.begun_at, frame.ended(nonce)))
        with live.listening(exchange):
            live.wait(exchange, deadline.until, context)
    return exchange


def ask(
    live: Live,
    nonce: str,
    line: str,
    deadline: Deadline,
    context: Context,
    *,
    patience: float | None = None,
    meanwhile: Meanwhile | None = None,
) -> tuple[Exchange, int]:
    """Type a line by its echo, press Enter and wait for the frame; `patience` seconds if given."""
    *first, last = line.split("\n")
    resent = 0
    for part in first:
        resent += type_line(live, part, deadline, context)
        live.send(live.settings.newline.encode(), context)
    resent += type_line(live, last, deadline, context)
    with live.source.lock:
        exchange = Exchange(live.transcript, nonce, live.transcript.position, begins=False)
    with live.listening(exchange):
        live.send(live.settings.newline.encode(), context)
        if meanwhile is not None:
            meanwhile(Running(exchange.start, frame.ended(nonce)))
        until = deadline.until if patience is None else min(deadline.until, live.clock() + patience)
        live.wait(exchange, until, context)
    return exchange, resent
