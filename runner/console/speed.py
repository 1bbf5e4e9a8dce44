"""Changing the speed at both ends of a console: the board's first, then ours, then a proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from runner.api import Context, Duration, Failed, LabError, TimedOut
from runner.console import uboot
from runner.console.enter import enter, prove
from runner.console.expectation import Expectation
from runner.console.frame import Nonces
from runner.console.live import Deadline, Live, Place
from runner.console.pattern import Pattern, exact, regex
from runner.console.prompts import waiting_prompt
from runner.console.waiting import limit_evidence

if TYPE_CHECKING:
    from runner.console.serial_console import LineSettings, SerialConsole

At = Literal["shell", "uboot"]

_PRESS_ENTER = regex(r"press ENTER", "press ENTER")
"""U-Boot, drivers/serial/serial-uclass.c, `on_baudrate`: it then waits for a carriage return."""


def follow(
    console: SerialConsole,
    live: Live,
    nonces: Nonces,
    context: Context,
    *,
    settings: LineSettings,
    at: At,
    within: Duration,
) -> None:
    """Have the board change its speed, follow it, and prove that both understand each other.

    Raise Failed, with our end as it was, when the board does not answer at the new speed.
    """
    before = console.line_settings()
    deadline = Deadline(live, within, "within", context)
    if at == "uboot":
        _have_uboot_change(live, nonces, settings.baudrate, deadline, context)
    else:
        _have_shell_change(live, nonces, settings.baudrate, deadline, context)
    console.set_line_settings(settings)
    live.place = Place()
    try:
        _prove(live, nonces, at, deadline, context)
    except (LabError, Failed) as error:
        console.set_line_settings(before)
        raise Failed(
            f"console {live.name!r}: the board does not answer at {settings.baudrate} bit/s; "
            f"our end is back at {before.baudrate}",
            evidence={"before": before.baudrate, "baudrate": settings.baudrate, **error.evidence},
            hint="the board may be at the new speed now: switch it off and on",
        ) from error


def _have_uboot_change(
    live: Live, nonces: Nonces, baudrate: int, deadline: Deadline, context: Context
) -> None:
    if live.place.kind != "uboot":
        live.place = uboot.find_prompt(live, nonces, deadline, context)
    _type_and_see(live, f"setenv baudrate {baudrate}", _PRESS_ENTER, deadline, context)


def _have_shell_change(
    live: Live, nonces: Nonces, baudrate: int, deadline: Deadline, context: Context
) -> None:
    """Change it by stty, which waits until what was printed is out (POSIX.1-2017, `tcsetattr`, TCSADRAIN)."""
    if live.place.kind not in ("shell", "plain shell"):
        enter(live, nonces, deadline, context)
    word = nonces.next(6)
    line = f"echo {word[:3]}''{word[3:]};stty {baudrate}"
    _type_and_see(live, line, exact(word + "\n"), deadline, context)


def _type_and_see(live: Live, line: str, pattern: Pattern, deadline: Deadline, context: Context) -> None:
    start = live.transcript.position
    with live.source.lock:
        seen = Expectation(live.transcript, (pattern,), start)
    with live.listening(seen):
        live.send((line + live.settings.newline).encode(), context)
        if live.wait(seen, deadline.until, context):
            return
    raise TimedOut(
        f"console {live.name!r}: the board does not change its speed: {line}",
        evidence=limit_evidence(live, deadline, start),
        hint="does it know this speed?",
    )


def _prove(live: Live, nonces: Nonces, at: At, deadline: Deadline, context: Context) -> None:
    if at == "shell":
        prove(live, nonces, deadline, context)
        enter(live, nonces, deadline, context)
        return
    with live.wired(context, ends=waiting_prompt(live.settings.uboot)) as wire:
        wire.knock(b"\r", limit=deadline.left(live))  # it is deaf while it changes its speed
    live.place = uboot.find_prompt(live, nonces, deadline, context)
