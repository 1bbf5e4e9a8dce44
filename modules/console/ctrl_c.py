"""Interrupt what runs on the console."""

from __future__ import annotations

from typing import Literal

from runner.api import Context, Duration, Module, Result, arg, device
from runner.console import Console


class Interrupted(Result):
    """Where the console is now."""

    prompt: Literal["shell", "uboot", "login"]


class CtrlC(Module):
    """Send Ctrl-C until a shell, U-Boot or a login asks for the next line, and prove that it does.

    A rung of `recover:`, the mildest one: it ends a command that hangs, and leaves the rest alone.

    Example::

        - ctrl_c:
        - ctrl_c: {within: 5s}
    """

    within: Duration = arg(default=Duration("10s"), primary=True, help="how long until a prompt answers")
    console: Console = device(help="the console")

    limited_by = "within"

    def run(self, context: Context) -> Interrupted:
        """Interrupt it."""
        return Interrupted(prompt=self.console.interrupt(context, within=self.within))
