"""Write an image to a board's medium."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import field

from runner.api import (
    Checksum,
    Context,
    Duration,
    FilePath,
    LabError,
    Medium,
    Misfit,
    Module,
    MuxPosition,
    Options,
    Programmer,
    RecipeFault,
    Result,
    Secret,
    Size,
    Storage,
    Unsupported,
    arg,
    device,
)
from runner.modules.storage.card import InUse
from runner.modules.storage.handling import begin, taken
from runner.modules.storage.image_source import ImageSource
from runner.modules.storage.packing import Compression
from runner.modules.storage.patient import Patient, Stalled
from runner.modules.storage.plain_file import plain_file
from runner.modules.storage.writing import Verify, Work

_PAUSE = 1.0
"""Seconds before the second attempt, and twice as long before each further one."""
_FINAL = (Unsupported, InUse, Stalled)
"""What another attempt does not make better."""


class Part(Options):
    """What one target gets."""

    image: FilePath = arg(help="the file to write there, or its URL")
    sha256: Checksum = arg(default=Checksum(""), help="the checksum of that file, as for the step")
    compression: Compression = arg(default="auto", help="how it is packed; auto: by its first bytes")
    bmap: FilePath | None = arg(default=None, help="its block map")
    offset: Size = arg(default=Size(0), help="where in the target it begins")


class Flashed(Result):
    """What was written."""

    bytes_written: int
    """0 when the medium had the content already."""
    sha256: str
    """Of what was written, not packed; of several images: empty, see `parts`.

    Empty, too, when nobody has computed it: an image that is not packed, has no `sha256` in the
    recipe, and is not read back in full.
    """
    verified: Verify
    elapsed: Duration
    rate: float
    """Bytes per second, until the medium had everything; without reading back."""
    attempts: int = 1
    """How many times it was tried."""
    parts: dict[str, str] = field(default_factory=dict)
    """The checksum of what was written to each target."""


class Flash(Module):
    """Write an image to the board's medium, and read it back.

    Packed images are recognised by their first bytes. Checksums are compared before the medium is
    touched. A medium behind a mux is taken from the board, and given to `leave` whatever happens.
    When this step does not pass, the medium holds neither the old nor the new content, unless the
    message says that nothing was written.

    Example::

        - flash: {image: "{{ image }}", sha256: "{{ checksum }}"}
          timeout: 10m
        - flash: {image: "https://images.lab/nightly.img.xz", sha256: "https://images.lab/nightly.img.xz.sha256"}
        - flash: {targets: {boot: {image: images/boot.vfat}, rootfs: {image: images/rootfs.ext4}}, retries: 2}
    """

    fetches = "image"

    image: FilePath | None = arg(default=None, primary=True, help="the file to write, or its URL")
    targets: dict[str, Part] = arg(default={}, help="instead of `image`: what each part of the medium gets")
    sha256: Checksum = arg(
        default=Checksum(""),
        help="the checksum of that file as it is, what sha256sum says of it, or a file or URL with that; "
        "compared before writing",
    )
    headers: dict[str, Secret] = arg(default={}, help="what to send along when images are fetched by HTTP")
    bearer: Secret = arg(default=Secret(""), help="the token of an Authorization header", secret=True)
    compression: Compression = arg(default="auto", help="how the image is packed; auto: by its first bytes")
    bmap: FilePath | None = arg(
        default=None, help="its block map (bmaptool): only what it names is written, and compared with it"
    )
    target: str = arg(
        default="",
        help="a part of the medium, where it has such: a partition's number or name; empty: the whole",
    )
    offset: Size = arg(default=Size(0), help="where on the medium the image begins")
    verify: Verify = arg(default="full", help="how much is read back and compared; sample: one block in 16")
    skip_if_same: bool = arg(
        default=False, help="read the medium first, and write nothing when it has the content already"
    )
    retries: int = arg(default=0, help="how many more times to try after an error of the medium", minimum=0)
    force: bool = arg(default=False, help="write even to a disk that is mounted or built in")
    leave: MuxPosition = arg(default="dut", help="who gets the medium in the end, when there is a mux")
    wait_device: Duration = arg(
        default=Duration("10s"), help="how long the medium may take to be usable after the mux was switched"
    )
    stall: Duration = arg(default=Duration("60s"), help="how long 4 MiB may take to be written or read")
    fsync_timeout: Duration = arg(default=Duration("15m"), help="how long the medium may take to be flushed")
    settle: Duration = arg(
        default=Duration("6s"), help="how long a reader is left alone before the mux takes its medium away"
    )
    storage: Medium = device(help="the medium, the mux that it is behind, or the tool that writes it")

    @classmethod
    def misfits(cls, given: Mapping[str, object]) -> Iterator[Misfit]:
        """Say when it is not clear what is written where."""
        if "image" in given and "targets" in given and bool(given["image"]) == bool(given["targets"]):
            yield Misfit("image", "either 'image' or 'targets' says what is written")
        for name in ("sha256", "compression", "bmap", "target", "offset"):
            if given.get("targets") and given.get(name) not in {None, "", "auto", 0}:
                yield Misfit(name, f"with 'targets', each of them has its own {name!r}")

    def run(self, context: Context) -> Flashed:
        """Check the files, write them, flush, and read them back."""
        parts = self._parts()
        sources = {name: _checked(part, context) for name, part in parts.items()}
        started = time.monotonic()
        for attempt in range(1, self.retries + 2):
            try:
                return self._flashed(parts, sources, context, started, attempt)
            except LabError as error:
                if isinstance(error, _FINAL) or attempt > self.retries:
                    raise
                context.log(f"attempt {attempt} of {self.retries + 1}: {error.message}", "warning")
                context.sleep(_PAUSE * 2 ** (attempt - 1))
        raise AssertionError("there is always an attempt")

    def _parts(self) -> Mapping[str, Part]:
        if self.image is not None:
            only = Part(
                image=self.image,
                sha256=self.sha256,
                compression=self.compression,
                bmap=self.bmap,
                offset=self.offset,
            )
            return {self.target: only}
        return self.targets

    def _flashed(
        self,
        parts: Mapping[str, Part],
        sources: Mapping[str, ImageSource],
        context: Context,
        started: float,
        attempt: int,
    ) -> Flashed:
        tool, written = self.storage, _Total()
        if isinstance(tool, Programmer):
            for name, source in sources.items():
                self._program(tool, name, source, context, written)
        else:
            self._write(parts, sources, context, written)
        return Flashed(
            bytes_written=written.size,
            sha256=next(iter(written.sums.values())) if len(written.sums) == 1 else "",
            verified="none" if isinstance(tool, Programmer) else "full" if not written.size else self.verify,
            elapsed=Duration(time.monotonic() - started),
            rate=written.size / written.seconds if written.seconds else 0.0,
            attempts=attempt,
            parts={name: sha256 for name, sha256 in written.sums.items() if name},
        )

    def _write(
        self, parts: Mapping[str, Part], sources: Mapping[str, ImageSource], context: Context, written: _Total
    ) -> None:
        patient = Patient(context)
        try:
            with taken(
                self.storage,
                context,
                patient,
                leave=self.leave,
                wait_device=self.wait_device,
                settle=self.settle,
                force=self.force,
            ) as storage:
                for name, source in sources.items():
                    part = begin(storage, name, insist=self.force)
                    offset = int(parts[name].offset)
                    _refuse_too_large(source, offset, part)
                    work = Work(
                        source,
                        part,
                        context,
                        patient,
                        offset=offset,
                        stall=self.stall,
                        flush=self.fsync_timeout,
                    )
                    self._work(work, name, context, written)
        finally:
            patient.close()

    def _work(self, work: Work, name: str, context: Context, written: _Total) -> None:
        there = work.compare("full") if self.skip_if_same else None
        if there is not None and there.difference is None:
            context.log("the medium has this content already: nothing is written")
            written.sums[name] = there.sha256
            return
        done = work.write()
        written.add(name, done.size, work.verify(self.verify, done), done.seconds)

    def _program(
        self, tool: Programmer, name: str, source: ImageSource, context: Context, written: _Total
    ) -> None:
        with plain_file(source, context) as (path, size, sha256):
            began = time.monotonic()
            try:
                tool.program(str(path), name, context)
            except ValueError as error:
                raise RecipeFault(str(error), evidence={"target": name}) from error
            written.add(name, size, sha256, time.monotonic() - began)


class _Total:
    """What was written to all targets."""

    def __init__(self) -> None:
        self.size = 0
        self.seconds = 0.0
        self.sums: dict[str, str] = {}

    def add(self, name: str, size: int, sha256: str, seconds: float) -> None:
        self.size += size
        self.seconds += seconds
        self.sums[name] = sha256


def _checked(part: Part, context: Context) -> ImageSource:
    source = ImageSource(part.image, part.compression, part.bmap)
    if part.sha256:
        source.check(Checksum(part.sha256), context)
    return source


def _refuse_too_large(source: ImageSource, offset: int, storage: Storage) -> None:
    capacity = storage.size()
    if capacity is None or source.length is None or offset + source.length <= capacity:
        return
    raise RecipeFault(
        f"{source.path.name} has {source.length} bytes, the medium {int(capacity)}: nothing was written",
        evidence={"length": source.length, "offset": offset, "size": int(capacity)},
    )
