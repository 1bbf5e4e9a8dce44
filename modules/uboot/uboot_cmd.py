"""Run a command at the U-Boot prompt."""

from __future__ import annotations

from runner.api import Context, Duration, Failed, Module, arg, device
from runner.console import Console, Ran

_TAIL = 20


class UbootCmd(Module):
    """Run one command at the U-Boot prompt and check its status.

    Where U-Boot has no hush parser it cannot tell the status: then it is null, and not checked.

    Example::

        - uboot_cmd: printenv bootcmd
          expect: "'mmc' in result.output"
        - uboot_cmd: {command: "dhcp; tftpboot ${loadaddr} kernel", timeout: 2m}
    """

    limited_by = "timeout"

    command: str = arg(primary=True, help="the command line")
    check: bool = arg(default=True, help="fail when its status is not 0")
    timeout: Duration = arg(default=Duration("60s"), help="how long it may take")
    console: Console = device(help="the console with U-Boot")

    def run(self, context: Context) -> Ran:
        """Run it and judge its status."""
        ran = self.console.run_uboot(self.command, context, timeout=self.timeout)
        if self.check and ran.status:
            tail = "\n".join(ran.output.splitlines()[-_TAIL:])
            raise Failed(
                f"exit status {ran.status}, expected 0: {self.command}",
                evidence={"status": ran.status, "expected": 0, "output": tail},
                result=ran,
            )
        return ran
