"""What `runner console` asks of an agent: to open a console, and to type on it."""

from __future__ import annotations

from runner.api import Context, Module, Result, arg, device
from runner.console.console import Console


class Written(Result):
    """What was typed."""

    sent: int
    """In bytes."""


class WriteConsole(Module):
    """Type bytes as they are, at the console's pace; no bytes only open it."""

    data: bytes = arg(help="what is typed")
    console: Console = device(help="the console")

    def run(self, context: Context) -> Written:
        """Type it."""
        if self.data:
            self.console.send(self.data, context)
        return Written(sent=len(self.data))
