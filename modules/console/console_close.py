"""Let go of a console's port."""

from __future__ import annotations

from runner.api import Context, Module, Result, device
from runner.console import Console


class Closed(Result):
    """How the port was."""

    was_open: bool


class ConsoleClose(Module):
    """Close the console's port, so that another tool can use it.

    The next step that types on this console, or waits for it, opens it again. What the board says
    in between is in nobody's log, and the log says so.

    Example::

        - console_close:
        - command: esptool --port /dev/ttyUSB0 write_flash 0 firmware.bin
        - expect_console: "ready"
    """

    console: Console = device(help="the console")

    def run(self, context: Context) -> Closed:
        """Close it."""
        was_open = self.console.release()
        if was_open:
            context.log("the console is closed until it is used again; what comes meanwhile is not read")
        return Closed(was_open=was_open)
