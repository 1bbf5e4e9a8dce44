"""Run a command at the board's shell."""

from __future__ import annotations

from runner.api import Context, Duration, Failed, Module, arg, device
from runner.console import Console, Ran

_TAIL = 20


class ConsoleCmd(Module):
    """Run one command at the shell of the board and check its exit status.

    It ends when the command has, not when something looks like a prompt; kernel messages are cut
    out of its output. Log in first with `console_login`.

    Example::

        - console_cmd: cat /proc/uptime
          register: uptime
          expect: result.output is match('[0-9.]+ ')
        - console_cmd: {command: test -e /dev/mmcblk1, check: false}
    """

    limited_by = "timeout"

    command: str = arg(primary=True, help="the command line")
    check: bool = arg(default=True, help="fail when its exit status is not 0")
    timeout: Duration = arg(default=Duration("60s"), help="how long it may take")
    console: Console = device(help="the console with the shell")

    def run(self, context: Context) -> Ran:
        """Run it and judge its status."""
        ran = self.console.run(self.command, context, timeout=self.timeout)
        if self.check and ran.status:
            raise Failed(
                f"exit status {ran.status}, expected 0: {self.command}",
                evidence={
                    "status": ran.status,
                    "expected": 0,
                    "output": "\n".join(ran.output.splitlines()[-_TAIL:]),
                },
                result=ran,
            )
        return ran
