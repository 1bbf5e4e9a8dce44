"""Write an image to a board's medium."""

from __future__ import annotations

import hashlib
import time
from typing import Literal

from runner.api import (
    Context,
    Duration,
    FilePath,
    LabError,
    Module,
    RecipeFault,
    Result,
    Size,
    Storage,
    arg,
    device,
)
from runner.modules.storage.image_source import Compression, ImageSource

Verify = Literal["none", "sample", "full"]

_ONE_IN = 16
"""A sample is the first two blocks and one in so many of the others."""


class Flashed(Result):
    """What was written."""

    bytes_written: int
    """0 when the medium had the content already."""
    sha256: str
    """Of the content as it stands on the medium, not compressed."""
    verified: Verify
    elapsed: Duration
    rate: float
    """Bytes per second, until the medium had everything; without reading back."""


class Flash(Module):
    """Write an image to the board's medium, and read it back.

    Packed images are recognised by their first bytes. When this step does not pass, the medium
    holds neither the old nor the new content, unless the message says that nothing was written.

    Example::

        - flash: {image: "{{ image }}", sha256: "{{ checksum }}"}
          timeout: 10m
    """

    image: FilePath = arg(primary=True, help="the file to write, or its URL")
    sha256: str = arg(
        default="",
        help="the checksum of that file, as it is; or a line of sha256sum. Compared before writing",
    )
    compression: Compression = arg(default="auto", help="how the image is packed; auto: by its first bytes")
    target: str = arg(default="", help="a part of the medium, where it has such; empty: the whole")
    offset: Size = arg(default=Size(0), help="where on the medium the image begins")
    verify: Verify = arg(default="full", help="how much is read back and compared; sample: one block in 16")
    skip_if_same: bool = arg(
        default=False, help="read the medium first, and write nothing when it has the content already"
    )
    storage: Storage = device(help="the medium")

    def run(self, context: Context) -> Flashed:
        """Check the file, write it, flush, and read it back."""
        source = ImageSource(self.image, self.compression)
        if self.sha256:
            source.check(self.sha256, context)
        self._begin()
        try:
            self._refuse_too_large(source)
            if self.skip_if_same and self._difference(source, "full", context) is None:
                return self._already_there(source, context)
            return self._written(source, context)
        finally:
            self.storage.end()

    def _begin(self) -> None:
        try:
            self.storage.begin(self.target)
        except ValueError as error:
            raise RecipeFault(str(error), evidence={"target": self.target}) from error

    def _refuse_too_large(self, source: ImageSource) -> None:
        capacity = self.storage.size()
        if capacity is None or source.length is None or self.offset + source.length <= capacity:
            return
        raise RecipeFault(
            f"{source.path.name} has {source.length} bytes, the medium {int(capacity)}: nothing was written",
            evidence={"length": source.length, "offset": int(self.offset), "size": int(capacity)},
        )

    def _already_there(self, source: ImageSource, context: Context) -> Flashed:
        context.log("the medium has this content already: nothing is written")
        digest = hashlib.sha256()
        for block in source.blocks(context):
            digest.update(block)
        return Flashed(
            bytes_written=0, sha256=digest.hexdigest(), verified="full", elapsed=Duration(0), rate=0.0
        )

    def _written(self, source: ImageSource, context: Context) -> Flashed:
        started = time.monotonic()
        digest, done = hashlib.sha256(), 0
        for block in source.blocks(context):
            self.storage.write(self.offset + done, block)
            digest.update(block)
            done += len(block)
            context.progress(done, source.length)
        self.storage.flush()
        writing = time.monotonic() - started
        if self.verify != "none":
            self._verify(source, context)
        return Flashed(
            bytes_written=done,
            sha256=digest.hexdigest(),
            verified=self.verify,
            elapsed=Duration(time.monotonic() - started),
            rate=done / writing if writing else 0.0,
        )

    def _verify(self, source: ImageSource, context: Context) -> None:
        found = self._difference(source, self.verify, context)
        if found is None:
            return
        offset, wanted, actual = found
        raise LabError(
            f"the medium does not keep what is written: byte {offset} is {_shown(actual)}, "
            f"expected {_shown(wanted)}",
            evidence={"offset": offset, "expected": wanted.hex(" "), "actual": actual.hex(" ")},
            hint="try another card, reader or cable",
        )

    def _difference(
        self, source: ImageSource, verify: Verify, context: Context
    ) -> tuple[int, bytes, bytes] | None:
        """Return the first difference: where on the medium, and up to 16 bytes of both from there on."""
        offset = int(self.offset)
        for number, block in enumerate(source.blocks(context)):
            if verify == "full" or number < 2 or number % _ONE_IN == 0:
                there = self.storage.read(offset, len(block))
                if there != block:
                    at = _first_difference(block, there)
                    return offset + at, block[at : at + 16], there[at : at + 16]
            offset += len(block)
            context.progress(offset - self.offset, source.length)
        return None


def _first_difference(wanted: bytes, actual: bytes) -> int:
    return next(
        (at for at, (one, other) in enumerate(zip(wanted, actual, strict=False)) if one != other), len(actual)
    )


def _shown(data: bytes) -> str:
    return data[:1].hex().upper() or "missing"
