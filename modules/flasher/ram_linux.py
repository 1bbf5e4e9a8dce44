"""How a board is brought to a Linux in its memory: what every step that does so can be told."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from runner.api import Duration, FilePath, Power, RecipeFault, TftpFiles, arg, device
from runner.api.module import Declared
from runner.console import Console
from runner.modules.flasher.bundle import MANIFEST, Bundle
from runner.modules.flasher.loading import Limits, Loader, Part
from runner.modules.flasher.manifest import variant_of
from runner.modules.flasher.phases import Phases


class RamLinux(Declared):
    """The bundle, the files that replace its own, the limits, and the devices that boot it."""

    bundle: FilePath = arg(help="the bundle, or its manifest alone")
    manifest: str = arg(default=MANIFEST, help="which manifest of the bundle")
    kernel: FilePath | None = arg(default=None, help="instead of the bundle's")
    initramfs: FilePath | None = arg(default=None, help="instead of the bundle's")
    dtb: FilePath | None = arg(default=None, help="instead of the bundle's")
    dtb_variant: str = arg(default="", help="which device tree of the bundle")
    bootcmd: str = arg(default="", help="the command that boots, instead of the bundle's")
    network: Literal["auto", "dhcp", "lease"] = arg(
        default="auto", help="in the Linux: ask DHCP again, or keep U-Boot's lease; auto: what it is made for"
    )
    interface: str = arg(default="", help="the Linux's network interface; empty: eth0, or the first")
    off_time: Duration = arg(default=Duration("2s"), help="how long the board stays off")
    enter_within: Duration = arg(default=Duration("60s"), help="how long until U-Boot's prompt")
    dhcp_within: Duration = arg(default=Duration("60s"), help="how long DHCP in U-Boot may take")
    load_within: Duration = arg(default=Duration("2m"), help="how long each file may take by TFTP")
    boot_within: Duration = arg(default=Duration("3m"), help="how long until the kernel, and until its shell")
    console: Console = device(help="the console with U-Boot and the Linux")
    supply: Power = device(help="the switch in the board's supply")
    tftp: TftpFiles = device(help="the server for the kernel")

    def loader(self, phases: Phases) -> Loader:
        """Return what boots it."""
        limits = Limits(
            self.enter_within, self.off_time, self.dhcp_within, self.load_within, self.boot_within
        )
        return Loader(self.console, self.supply, self.tftp, limits, phases)

    def parts(self, bundle: Bundle) -> tuple[list[Part], str]:
        """Return what is loaded, in this order, and the command that boots it."""
        manifest = bundle.manifest
        variant = variant_of(manifest, self.dtb_variant)
        found = [self._part(bundle, "kernel", manifest.kernel.file, manifest.kernel.address, self.kernel)]
        if variant is not None or self.dtb:
            file = variant.file if variant else ""
            found.append(self._part(bundle, "dtb", file, manifest.dtb_address, self.dtb))
        if manifest.initram is not None:
            initram = manifest.initram
            found.append(self._part(bundle, "initram", initram.file, initram.address, self.initramfs))
        elif self.initramfs:
            raise RecipeFault("the bundle does not say where an initramfs is loaded: spec.initram.address")
        own = variant.bootcmd if variant else ""
        return found, self.bootcmd or own or manifest.bootcmd

    def _part(self, bundle: Bundle, name: str, file: str, address: str, given: str | None) -> Part:
        if not address:
            raise RecipeFault(f"the bundle does not say where the {name} is loaded")
        if not given and not file:
            raise RecipeFault(f"the bundle names no file for the {name}")
        return Part(name, Path(given) if given else bundle.file(file), address)
