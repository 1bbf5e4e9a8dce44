"""Bring a board to the shell of a Linux in its memory."""

from __future__ import annotations

from runner.api import Context, Duration, Module, Result, arg
from runner.modules.flasher.board_shell import BoardShell
from runner.modules.flasher.bundle import opened
from runner.modules.flasher.phases import Phases
from runner.modules.flasher.ram_linux import RamLinux


class RamShell(Result):
    """What the board was given."""

    address: str
    """Its address, by DHCP in U-Boot."""
    netmask: str
    gateway: str
    """Empty when DHCP named none."""


class FlasherShell(RamLinux, Module):
    """Start the board anew, and bring it to the shell of the Linux that `flash_network` writes with.

    Nothing is written. The steps after it run commands there with `console_cmd`: to look at a medium,
    to rescue what is on it, to partition it. The board's network is up.

    Example::

        - flasher_shell: {bundle: bundles/board.tar}
        - console_cmd: lsblk
        - power_off:
    """

    takes_power = True

    stall: Duration = arg(default=Duration("60s"), help="how long its network may take to come up")

    def run(self, context: Context) -> RamShell:
        """Boot it and bring its network up."""
        phases = Phases(context)
        with opened(self.bundle, self.manifest) as bundle:
            with phases.phase("read the bundle"):
                parts, bootcmd = self.parts(bundle)
            lease = self.loader(phases).boot(bundle.manifest, parts, bootcmd, context)
        with phases.phase("network of the Linux"):
            BoardShell(self.console, context, self.stall).connect(lease, self.network, self.interface)
        return RamShell(address=lease.address, netmask=lease.netmask, gateway=lease.gateway)
