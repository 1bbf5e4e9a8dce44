"""Start a kernel from the U-Boot prompt."""

from __future__ import annotations

from runner.api import Context, Duration, Module, arg, device
from runner.console import Booted, Console


class UbootBoot(Module):
    """Hand over from the U-Boot prompt to a kernel, and have the kernel's first line prove it.

    Any command will do: `boot`, `run bootcmd_mmc0`, `booti`, `bootm`, `bootz`, `bootflow scan -b`.
    When the prompt is back instead, what U-Boot complained about is the failure: a bad image, a
    wrong architecture, no filesystem, no file, no network.

    Example::

        - uboot_enter:
        - uboot_boot: booti ${kernel_addr_r} - ${fdtcontroladdr}
          measure: {kernel_start: {value: result.elapsed, unit: s, max: 3}}
        - uboot_boot: {command: run bootcmd_pxe, within: 2m}
    """

    limited_by = "within"

    command: str = arg(default="boot", primary=True, help="the command line; boot runs bootcmd")
    within: Duration = arg(
        default=Duration("30s"), help="how long until the kernel's first line, with loading"
    )
    first_line: str = arg(
        default="", help="a regular expression of what proves that another system than Linux runs"
    )
    console: Console = device(help="the console with U-Boot")

    def run(self, context: Context) -> Booted:
        """Type it and wait for the kernel."""
        return self.console.boot_kernel(self.command, context, within=self.within, first_line=self.first_line)
