"""Read a board's medium into a file."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Literal, Protocol

from runner.api import (
    Context,
    Duration,
    Keep,
    LabError,
    Medium,
    Module,
    MuxPosition,
    RecipeFault,
    Result,
    Size,
    Storage,
    TargetPath,
    arg,
    device,
)
from runner.modules.storage.ahead import Ahead, Digest
from runner.modules.storage.handling import begin, taken
from runner.modules.storage.packing import BLOCK
from runner.modules.storage.patient import Patient


class Dumped(Result):
    """What was read."""

    path: str
    size: int
    """Bytes of the medium."""
    sha256: str
    """Of these, not packed."""
    stored: int
    """Bytes of the file."""
    elapsed: Duration


class Dump(Module):
    """Read the board's medium, or a part of it, into a file of the machine that runs `runner`.

    It is read into a temporary file of the bench's host first, and sent from there.

    Example::

        - dump: {to: results/card.img.gz, length: 64MiB, compression: gzip}
        - dump: {to: env.bin, offset: 0x3e0000, length: 128KiB}
    """

    to: TargetPath = arg(primary=True, help="the file to write; one that is there is replaced")
    target: str = arg(
        default="",
        help="a part of the medium, where it has such: a partition's number or name; empty: the whole",
    )
    offset: Size = arg(default=Size(0), help="where to begin")
    length: Size | None = arg(default=None, help="how much to read; all that follows when left out")
    compression: Literal["none", "gzip", "xz", "bz2"] = arg(default="none", help="how the file is packed")
    leave: MuxPosition = arg(default="dut", help="who gets the medium in the end, when there is a mux")
    wait_device: Duration = arg(
        default=Duration("10s"), help="how long the medium may take to be usable after the mux was switched"
    )
    stall: Duration = arg(default=Duration("60s"), help="how long 4 MiB may take to be read")
    storage: Medium = device(help="the medium, or the mux that it is behind")

    def run(self, context: Context) -> Dumped:
        """Read it, and hand it over."""
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="runner-dump-") as folder:
            path = Path(folder, Path(self.to).name)
            size, sha256 = self._read(path, context)
            kept = context.artifact(path.name, path, Keep(to=self.to))
        return Dumped(
            path=str(self.to),
            size=size,
            sha256=sha256,
            stored=kept.size,
            elapsed=Duration(time.monotonic() - started),
        )

    def _read(self, path: Path, context: Context) -> tuple[int, str]:
        patient = Patient(context)
        try:
            with (
                taken(
                    self.storage,
                    context,
                    patient,
                    leave=self.leave,
                    wait_device=self.wait_device,
                    settle=Duration(0),
                    force=True,
                    reading=True,
                ) as storage,
                path.open("xb", buffering=0) as file,
            ):
                part = begin(storage, self.target, insist=True)
                patient.ask(part.forget, self.stall, "dropping what is cached", "stall")
                return self._copy(part, file.fileno(), patient, context)
        finally:
            patient.close()

    def _copy(self, storage: Storage, file: int, patient: Patient, context: Context) -> tuple[int, str]:
        length, packer, done = self._length(storage), _packer(self.compression), 0
        ahead = Ahead(self._pieces(storage, length, patient), context)
        try:
            with Digest() as digest:
                for piece in ahead:
                    digest.add(piece)
                    _write(file, packer.compress(piece))
                    done += len(piece)
                    context.progress(done, length)
                _write(file, packer.flush())
        finally:
            ahead.close()
        if self.length is not None and done < self.length:
            raise RecipeFault(
                f"the medium ends {done} bytes after byte {int(self.offset)}, expected {int(self.length)}"
            )
        return done, digest.hexdigest

    def _length(self, storage: Storage) -> int | None:
        """Return how much there is to read; None when only reading can tell."""
        capacity = storage.size()
        if capacity is not None and self.offset + (self.length or 0) > capacity:
            raise RecipeFault(
                f"the medium has {int(capacity)} bytes: nothing was read",
                evidence={"size": int(capacity), "offset": int(self.offset), "length": self.length},
            )
        if self.length is not None:
            return int(self.length)
        return None if capacity is None else int(capacity) - int(self.offset)

    def _pieces(self, storage: Storage, length: int | None, patient: Patient) -> Generator[bytes, None, None]:
        place, end = int(self.offset), None if length is None else self.offset + length
        while end is None or place < end:
            amount, where = BLOCK if end is None else min(BLOCK, end - place), place
            piece = patient.ask(
                lambda: storage.read(where, amount),  # noqa: B023 - it is called before they change
                self.stall,
                f"reading byte {where} of the medium",
                "stall",
            )
            if not piece:
                return
            yield piece
            place += len(piece)


class _Packer(Protocol):
    """What the compressors of the standard library have in common."""

    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class _Plain:
    """No compressor."""

    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


def _packer(compression: str) -> _Packer:
    if compression == "gzip":
        import zlib

        return zlib.compressobj(wbits=31)
    if compression == "xz":
        import lzma

        return lzma.LZMACompressor()
    if compression == "bz2":
        import bz2

        return bz2.BZ2Compressor()
    return _Plain()


def _write(file: int, data: bytes) -> None:
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(file, view) :]
    except OSError as error:
        found = os.fstatvfs(file)
        raise LabError(
            f"no room on the host for what is read: {error.strerror}; "
            f"{Size(found.f_bavail * found.f_frsize)} are free",
            hint="TMPDIR of the host names the folder; 'compression' makes it smaller, 'length' reads less",
        ) from error
