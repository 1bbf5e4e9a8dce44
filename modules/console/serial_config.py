"""Change how characters are sent on a serial console."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from runner.api import Context, Duration, Module, RecipeFault, Result, arg, device
from runner.console import LineSettings, SerialConsole


class Reconfigured(Result):
    """How characters were sent before, and how they are now."""

    before: LineSettings
    now: LineSettings


class SerialConfig(Module):
    """Change the speed and the format of a serial console, for the rest of the run.

    With `follow` the board is told first: at U-Boot's prompt by its variable `baudrate`, at a shell
    by `stty`. The step passes only when the board answers at the new speed; otherwise our end goes
    back to the old one. Tried on pseudo-terminals and RFC 2217; not yet at the speeds of a real UART.

    Example::

        - serial_config: {baudrate: 9600}
        - serial_config: {baudrate: 921600, follow: uboot}
          register: uart
    """

    limited_by = "within"

    baudrate: int | None = arg(default=None, primary=True, help="bits per second", minimum=1)
    bytesize: Literal[5, 6, 7, 8] | None = arg(default=None, help="data bits")
    parity: Literal["none", "even", "odd", "mark", "space"] | None = arg(default=None, help="the parity bit")
    stopbits: Literal[1, 2] | None = arg(default=None, help="stop bits")
    rtscts: bool | None = arg(default=None, help="flow control by RTS and CTS")
    xonxoff: bool | None = arg(default=None, help="flow control by XON and XOFF")
    follow: Literal["shell", "uboot"] | None = arg(
        default=None, help="what to tell the new speed first; it must be waiting for a command"
    )
    within: Duration = arg(default=Duration("20s"), help="how long the board may take to follow")
    console: SerialConsole = device(help="the console on a serial port")

    def run(self, context: Context) -> Reconfigured:
        """Change it, and prove it when the board was told."""
        before = self.console.line_settings()
        given = {
            name: value
            for name in ("baudrate", "bytesize", "parity", "stopbits", "rtscts", "xonxoff")
            if (value := getattr(self, name)) is not None
        }
        if not given:
            raise RecipeFault("serial_config needs something to change: 'baudrate', 'parity' …")
        now = replace(before, **given)
        if self.follow is None:
            self.console.set_line_settings(now)
        elif replace(now, baudrate=before.baudrate) != before:
            raise RecipeFault("serial_config can only change the baudrate when the board is to follow")
        else:
            self.console.change_speed(now, context, at=self.follow, within=self.within)
        context.log(f"the console is at {now.baudrate} bit/s, was at {before.baudrate}")
        return Reconfigured(before=before, now=now)
