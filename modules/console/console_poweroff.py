"""Shut the board's system down."""

from __future__ import annotations

from runner.api import Context, Duration, Module, arg, device
from runner.console import Console, PoweredOff


class ConsolePoweroff(Module):
    """Shut the board's system down cleanly from its shell, and wait until it has ended.

    It has ended when the kernel says so, or when a board that says nothing more does not answer at
    its shell either. The supply is still on afterwards: switch it off with `power_off`.

    Example::

        - console_poweroff:
          register: down
          expect: down.how == 'power down'
        - power_off:
        - console_poweroff: {command: halt -p, within: 2m}
    """

    limited_by = "within"

    command: str = arg(default="poweroff", primary=True, help="the command that does it")
    silence: Duration = arg(default=Duration("10s"), help="without last words: how long nothing comes")
    within: Duration = arg(default=Duration("90s"), help="how long it may take")
    console: Console = device(help="the console with the shell")

    def run(self, context: Context) -> PoweredOff:
        """Shut it down."""
        return self.console.poweroff(context, command=self.command, silence=self.silence, within=self.within)
