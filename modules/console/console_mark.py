"""Name a place in a console's log."""

from __future__ import annotations

from runner.api import Context, Module, RecipeFault, Result, arg, device
from runner.console import Console

_TAKEN = ("last", "start", "now", "step", "power_on")


class Marked(Result):
    """Where the mark is."""

    position: int
    """Bytes from the beginning of the raw log."""


class ConsoleMark(Module):
    """Name the present place in the console's log, for `since` of `expect_console`.

    Example::

        - console_mark: before_update
        - console_cmd: update --reboot
        - expect_console: {pattern: "U-Boot ", since: before_update}
    """

    reads_only = True

    name: str = arg(primary=True, help="the name; a mark of that name moves here")
    console: Console = device(help="the console")

    def run(self, context: Context) -> Marked:  # noqa: ARG002 - there is nothing to wait for
        """Set the mark."""
        if self.name in _TAKEN or not self.name:
            raise RecipeFault(f"a mark cannot be called {self.name!r}: {', '.join(_TAKEN)} have a meaning")
        return Marked(position=self.console.mark(self.name))
