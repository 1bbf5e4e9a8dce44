"""Write a line into a console's log."""

from __future__ import annotations

from runner.api import Context, Module, Result, arg, device
from runner.console import Console


class Written(Result):
    """Where the line is."""

    position: int
    """Bytes from the beginning of the raw log."""


class ConsoleLog(Module):
    """Write a line into the console's log and the report, at this place; the board sees nothing.

    Example::

        - console_log: the next lines are the update, started by hand
    """

    reads_only = True

    text: str = arg(primary=True, help="the line")
    console: Console = device(help="the console")

    def run(self, context: Context) -> Written:
        """Write it."""
        self.console.remark(self.text)
        context.log(self.text)
        return Written(position=self.console.position())
