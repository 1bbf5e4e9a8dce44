"""Say what a flasher bundle holds."""

from __future__ import annotations

from runner.api import Context, FilePath, Module, Result, arg
from runner.modules.flasher.bundle import MANIFEST, opened


class BundleContent(Result):
    """What a bundle says."""

    name: str
    bootcmd: str
    kernel: str
    kernel_address: str
    initram: str | None
    initram_address: str | None
    dtb_address: str | None
    variants: dict[str, str]
    """The device trees: name and file."""
    default_variant: str | None
    targets: dict[str, str]
    default_target: str | None
    user: str | None
    preflash: list[str]
    files: list[str]
    """What the archive holds; nothing for a manifest alone."""


class FlasherInfo(Module):
    """Read a flasher bundle, or its manifest alone, and say what is in it.

    Example::

        - flasher_info: bundles/board.tar
          expect: "'emmc' in result.targets"
    """

    runs_on = "controller"
    reads_only = True

    bundle: FilePath = arg(primary=True, help="the archive, or the manifest")
    manifest: str = arg(default=MANIFEST, help="which manifest of the archive")

    def run(self, context: Context) -> BundleContent:
        """Read it."""
        with opened(self.bundle, self.manifest) as bundle:
            found = bundle.manifest
            if found.unknown:
                context.log(
                    f"the manifest has what means nothing here: {', '.join(found.unknown)}", "warning"
                )
            return BundleContent(
                name=found.name,
                bootcmd=found.bootcmd,
                kernel=found.kernel.file,
                kernel_address=found.kernel.address,
                initram=found.initram.file if found.initram else None,
                initram_address=found.initram.address if found.initram else None,
                dtb_address=found.dtb_address or None,
                variants={name: each.file for name, each in found.variants.items()},
                default_variant=found.dtb_default or None,
                targets=dict(found.targets),
                default_target=found.default_target or None,
                user=found.user or None,
                preflash=list(found.preflash),
                files=bundle.names(),
            )
