"""SerialConsole: a console whose port has modem lines, a speed, and a break."""

from __future__ import annotations

import abc
from dataclasses import replace
from typing import Literal

from runner.api import Context, Duration, Interface, Result
from runner.console import speed
from runner.console.console import Console
from runner.console.transfer import SpeedChange


class LineCounters(Result):
    """What a port has counted since it was opened (Linux: ioctl_tty(2), TIOCGICOUNT)."""

    received: int
    """In characters."""
    sent: int
    """In characters."""
    overrun: int
    """Characters lost because the hardware was not read in time."""
    buffer_overrun: int
    """Times that the kernel's buffer was full."""
    frame: int
    """Characters without a stop bit: often a wrong speed."""
    parity: int
    """Characters with a wrong parity bit."""
    breaks: int
    """Breaks received."""

    @property
    def errors(self) -> dict[str, int]:
        """What was counted that should not be."""
        counted = {
            "overrun": self.overrun,
            "buffer overrun": self.buffer_overrun,
            "frame": self.frame,
            "parity": self.parity,
        }
        return {name: number for name, number in counted.items() if number}


class LineState(Result):
    """The modem lines; None for one that this port does not have."""

    dtr: bool | None
    rts: bool | None
    cts: bool | None
    dsr: bool | None
    cd: bool | None
    ri: bool | None
    counters: LineCounters | None = None


class LineSettings(Result):
    """How characters are sent."""

    baudrate: int
    """In bits per second."""
    bytesize: Literal[5, 6, 7, 8]
    parity: Literal["none", "even", "odd", "mark", "space"]
    stopbits: Literal[1, 2]
    rtscts: bool
    xonxoff: bool


class SerialConsole(Console, Interface):
    """A console on a serial port. A port that cannot do one of these raises Unsupported."""

    @abc.abstractmethod
    def lines(self) -> LineState:
        """Read the modem lines and the counters."""

    @abc.abstractmethod
    def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        """Set lines of ours, also for when the port is opened again; None leaves one alone."""

    @abc.abstractmethod
    def send_break(self, duration: Duration, context: Context) -> None:
        """Hold the line for so long."""

    @abc.abstractmethod
    def line_settings(self) -> LineSettings:
        """Return how characters are sent."""

    @abc.abstractmethod
    def set_line_settings(self, settings: LineSettings) -> None:
        """Change how characters are sent, once what was typed is out; also for when it is opened again."""

    def at_speed(self, baudrate: int) -> SpeedChange:
        """Return how our end goes to another speed for a while, and back to the one that it has now."""
        before = self.line_settings()
        return SpeedChange(
            baudrate,
            there=lambda: self.set_line_settings(replace(before, baudrate=baudrate)),
            back=lambda: self.set_line_settings(before),
        )

    def change_speed(
        self, settings: LineSettings, context: Context, *, at: speed.At, within: Duration
    ) -> None:
        """Have U-Boot or a shell change its speed, and follow it.

        Raise Failed, with our end as it was, when the board does not answer at the new speed.
        """
        speed.follow(self, self._use, self._names, context, settings=settings, at=at, within=within)
