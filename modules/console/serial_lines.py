"""Set and read the modem lines of a serial port."""

from __future__ import annotations

from typing import Literal

from runner.api import Context, Duration, Module, RecipeFault, arg, device
from runner.console import LineState, SerialConsole


class SerialLines(Module):
    """Set DTR and RTS of a serial console, pulse one of them, send a break, and read all lines.

    The lines stay as they are set, also when the port is opened again. The result has the lines
    after that and what the port has counted since it was opened: overrun, frame and parity errors
    and breaks, where its driver counts them. Tried on RFC 2217 and loop ports; not yet on the
    adapters of a real bench.

    Example::

        - serial_lines:
          register: uart
          expect: uart.cts and uart.counters.overrun == 0
        - serial_lines: {dtr: false, rts: true}
        - serial_lines: {pulse: rts, duration: 100ms}
    """

    dtr: bool | None = arg(default=None, help="set DTR; left alone when left out")
    rts: bool | None = arg(default=None, help="set RTS; left alone when left out")
    pulse: Literal["dtr", "rts"] | None = arg(
        default=None, help="turn this line over for `duration`, and back again"
    )
    break_for: Duration | None = arg(default=None, help="hold the line for so long (a break)")
    duration: Duration = arg(default=Duration("100ms"), help="how long a pulse is")
    console: SerialConsole = device(help="the console on a serial port")

    def run(self, context: Context) -> LineState:
        """Set, pulse, break, and read."""
        if self.pulse is not None and getattr(self, self.pulse) is not None:
            raise RecipeFault(f"serial_lines cannot set and pulse {self.pulse!r} in one step")
        if self.dtr is not None or self.rts is not None:
            self.console.set_lines(dtr=self.dtr, rts=self.rts)
        if self.pulse is not None:
            self._pulse(self.pulse, context)
        if self.break_for is not None:
            self.console.send_break(self.break_for, context)
        return self.console.lines()

    def _pulse(self, line: Literal["dtr", "rts"], context: Context) -> None:
        before = self.console.lines()
        level = bool(before.dtr if line == "dtr" else before.rts)
        self._set(line, not level)
        try:
            context.sleep(self.duration)
        finally:
            self._set(line, level)

    def _set(self, line: Literal["dtr", "rts"], level: bool) -> None:
        if line == "dtr":
            self.console.set_lines(dtr=level)
        else:
            self.console.set_lines(rts=level)
