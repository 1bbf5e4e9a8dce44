"""Transfers with a command that runs: at the speed of the console, or at another.

U-Boot, cmd/load.c, `do_load_serial_bin`: it says the new speed and waits for Enter at it; afterwards
it says the old one and waits for ESC.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from runner.api import Context, Failed, LabError
from runner.console.keyboard import Meanwhile, Running
from runner.console.live import Live
from runner.console.results import Ran
from runner.console.wire import Wire, hold
from runner.console.xmodem import Conversation

_ASKS = b"and press ENTER ..."
_READY = b"## Ready for"
_ASKS_BACK = rb"and press ESC \.\.\.\r*\n"
_LIMIT = 10.0
"""Seconds for each of U-Boot's answers."""


@dataclass(frozen=True)
class SpeedChange:
    """How our end of the line changes its speed, and back again."""

    baudrate: int
    there: Callable[[], None]
    back: Callable[[], None]


def answering(
    live: Live, conversation: Conversation, context: Context, *, total: int, change: SpeedChange | None
) -> Meanwhile:
    """Return what holds a conversation with a command once it runs."""

    def moved() -> None:
        context.progress(conversation.moved, total)

    def answer(running: Running) -> None:
        if change is None:
            _speak(live, running, conversation, context, moved)
        else:
            _speak_faster(live, running, conversation, context, moved, change)

    return answer


def _speak(
    live: Live, running: Running, conversation: Conversation, context: Context, moved: Callable[[], None]
) -> None:
    """Hold a conversation with a command that runs."""
    with live.wired(context, running.since, running.ends) as wire:
        hold(conversation, wire, moved)


def _speak_faster(
    live: Live,
    running: Running,
    conversation: Conversation,
    context: Context,
    moved: Callable[[], None],
    change: SpeedChange,
) -> None:
    """Hold a conversation with U-Boot's `loadx` or `loady` at the speed that it was told.

    Raise LabError when U-Boot is not understood at that speed; our end is at the old one then.
    """
    ends = re.compile(b"(?:%s)|%s" % (running.ends.pattern, _ASKS_BACK))
    behind = b""
    try:
        with live.wired(context, running.since, ends) as wire:
            try:
                _speak_at(live, wire, conversation, moved, change)
            finally:
                behind = wire.behind
    finally:
        if re.match(_ASKS_BACK, behind):
            with live.wired(context, ends=running.ends) as wire:
                wire.knock(b"\x1b", limit=_LIMIT)


def _speak_at(
    live: Live, wire: Wire, conversation: Conversation, moved: Callable[[], None], change: SpeedChange
) -> None:
    if wire.comes(_ASKS, _READY, limit=_LIMIT) != _ASKS:
        hold(conversation, wire, moved)  # it is at that speed, or has refused
        return
    change.there()
    try:
        if not wire.knock(b"\r", _READY, limit=_LIMIT):
            raise LabError(
                f"console {live.name!r}: U-Boot does not answer at {change.baudrate} bit/s; our end is back "
                "at the old speed",
                hint="the board waits at the new speed: switch it off and on, and try a lower one",
            )
        try:
            hold(conversation, wire, moved)
        finally:
            wire.ends(_LIMIT)  # it says so at this speed
    finally:
        change.back()


def given_up(name: str, command: str, conversation: Conversation, ran: Ran) -> Failed | LabError:
    """Say why a transfer has not come to its end."""
    evidence = {"moved": conversation.moved, "repeated": conversation.repeated, "output": ran.output}
    if ran.status:
        said = ran.output.strip()[-200:]
        return Failed(
            f"console {name!r}: {command} has ended with status {ran.status} before the transfer"
            + (f": {said}" if said else ""),
            evidence={"status": ran.status, **evidence},
        )
    return LabError(f"console {name!r}: {command}: {conversation.problem}", evidence=evidence)
