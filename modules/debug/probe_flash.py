"""Write an image to the flash of a processor by its debug probe."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from runner.api import (
    Context,
    DebugProbe,
    Duration,
    FilePath,
    ImageFormat,
    Misfit,
    Module,
    RecipeFault,
    Result,
    Size,
    arg,
    device,
)


class ProbeFlashed(Result):
    """What was written."""

    text: str
    """What the probe said."""
    size: Size
    """Of the image's file."""
    sha256: str
    elapsed: Duration


class ProbeFlash(Module):
    """Write an image to the flash of the processor, and start it.

    Example::

        - probe_flash: build/firmware.elf
        - probe_flash: {image: build/firmware.bin, format: bin, base_address: 0x08000000, chip_erase: true}
    """

    limited_by = "timeout"

    image: FilePath = arg(primary=True, help="the image")
    format: ImageFormat = arg(default="auto", help="what kind of file it is; auto: the probe finds out")
    base_address: int | None = arg(default=None, help="where a plain binary begins", minimum=0)
    chip_erase: bool = arg(default=False, help="erase all of the flash before")
    verify: bool = arg(default=True, help="have the probe read it back")
    reset_after: bool = arg(default=True, help="reset the processor then, so that the image runs")
    sha256: str = arg(default="", help="the checksum that the image must have")
    timeout: Duration = arg(default=Duration("10m"), help="how long writing, and resetting, may take")
    probe: DebugProbe = device(help="the probe")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Tell when a binary has no address, or something else has one."""
        if not {"format", "base_address", "image"} <= given.keys():
            return
        kind, base = given["format"], given["base_address"]
        plain = kind == "bin" or (kind == "auto" and str(given["image"]).endswith(".bin"))
        if plain and base is None:
            yield Misfit("base_address", "a plain binary does not say where it belongs: give 'base_address'")
        if plain and kind == "auto":
            yield Misfit("format", "the probe takes what it does not know for ELF: write format: bin")
        if not plain and base is not None:
            yield Misfit("base_address", "only a plain binary needs it: write format: bin")

    def run(self, context: Context) -> ProbeFlashed:
        """Compare, write, reset."""
        began = time.monotonic()
        size, sha256 = self._summed(context)
        wanted = (self.sha256.split() or [""])[0].lower()
        if wanted and wanted != sha256:
            raise RecipeFault(
                f"{Path(self.image).name} has the SHA-256 {sha256[:12]}…, expected {wanted[:12]}…: "
                "nothing was written",
                evidence={"expected": wanted, "actual": sha256},
            )
        text = self.probe.download(
            self.image,
            context,
            self.timeout,
            image_format=self.format,
            base_address=self.base_address,
            chip_erase=self.chip_erase,
            verify=self.verify,
        )
        if self.reset_after:
            text += self.probe.reset(context, self.timeout)
        elapsed = Duration(time.monotonic() - began)
        return ProbeFlashed(text=text, size=Size(size), sha256=sha256, elapsed=elapsed)

    def _summed(self, context: Context) -> tuple[int, str]:
        digest = hashlib.sha256()
        try:
            with Path(self.image).open("rb") as file:
                while block := file.read(2**20):
                    context.check_cancelled()
                    digest.update(block)
                return file.tell(), digest.hexdigest()
        except OSError as error:
            raise RecipeFault(f"cannot read the image {str(self.image)!r}: {error.strerror}") from error
