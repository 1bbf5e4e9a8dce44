"""Writes the pieces of an image to a medium, and reads them back; reading, checksums and writing overlap."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from runner.api import Context, Duration, LabError, Storage
from runner.modules.storage.ahead import Ahead, Digest, NoDigest
from runner.modules.storage.image_source import ImageSource
from runner.modules.storage.packing import BLOCK
from runner.modules.storage.patient import Patient

Verify = Literal["none", "sample", "full"]
Extent = tuple[int, int]
Alive = Callable[[str], None]

_ONE_IN = 16
"""A sample is the first two pieces and one in so many of the others."""


@dataclass(frozen=True)
class Written:
    """What was written: how much, its checksum, where, and how long that took with the flush.

    There is no checksum when nobody needs it: it takes as long as writing does to a fast disk.
    """

    size: int
    sha256: str
    extents: tuple[Extent, ...]
    seconds: float


class Work:
    """One image and one medium, with the limits for what may never end."""

    def __init__(
        self,
        source: ImageSource,
        storage: Storage,
        context: Context,
        patient: Patient,
        *,
        offset: int,
        stall: Duration,
        flush: Duration,
    ) -> None:
        """Take them; the image begins at `offset` of the medium."""
        self._source = source
        self._storage = storage
        self._context = context
        self._patient = patient
        self._offset = offset
        self._stall = stall
        self._flush = flush

    def write(self) -> Written:
        """Write the image, and return when the medium has it."""
        began = time.monotonic()
        done, extents, sha256 = self._patient.work(self._copy, self._stall, "writing", "stall")
        self._patient.ask(
            self._storage.flush, self._flush, f"flushing the medium after {done} bytes", "fsync_timeout"
        )
        return Written(done, sha256, tuple(extents), time.monotonic() - began)

    def verify(self, how: Verify, written: Written) -> str:
        """Read back, and return the checksum of it if it is known; raise LabError for a wrong byte."""
        if how == "none":
            return written.sha256
        self._patient.ask(self._storage.forget, self._flush, "dropping what is cached", "fsync_timeout")
        if how == "full" and written.sha256 and self._checksum(written) == written.sha256:
            return written.sha256
        found = self.compare(how)
        if found.difference is not None:
            raise _worn(*found.difference)
        if how == "full" and written.sha256:
            raise LabError(
                "the medium reads differently each time: its checksum was wrong, then every byte was right",
                hint="try another card, reader or cable",
            )
        return written.sha256 or found.sha256

    def compare(self, how: Verify) -> Compared:
        """Compare the medium with the image, up to the first difference."""
        return self._patient.work(lambda alive: self._compare(how, alive), self._stall, "reading", "stall")

    def _copy(self, alive: Alive) -> tuple[int, list[Extent], str]:
        done, extents = 0, list[Extent]()
        with self._pieces() as pieces, self._digest() as digest:
            for place, piece in pieces:
                self._context.check_cancelled()
                where = self._offset + place
                alive(f"writing at byte {where} of the medium")
                self._storage.write(where, piece)
                digest.add(piece)
                done += len(piece)
                _extend(extents, place, len(piece))
                self._context.progress(done, self._source.amount)
        return done, extents, digest.hexdigest or self._source.sha256

    def _compare(self, how: Verify, alive: Alive) -> Compared:
        done = 0
        with self._pieces() as pieces, Digest() as digest:
            for number, (place, piece) in enumerate(pieces):
                self._context.check_cancelled()
                if how == "full" or number < 2 or number % _ONE_IN == 0:
                    where = self._offset + place
                    alive(f"reading byte {where} of the medium")
                    there = self._storage.read(where, len(piece))
                    if there != piece:
                        at = _first_difference(piece, there)
                        return Compared((where + at, piece[at : at + 16], there[at : at + 16]), "")
                if how == "full":
                    digest.add(piece)
                done += len(piece)
                self._context.progress(done, self._source.amount)
        return Compared(None, digest.hexdigest if how == "full" else "")

    def _checksum(self, written: Written) -> str:
        """Return the checksum of what the medium has where the image was written."""
        return self._patient.work(lambda alive: self._sum(written, alive), self._stall, "reading", "stall")

    def _sum(self, written: Written, alive: Alive) -> str:
        done = 0
        with Digest() as digest:
            for start, length in written.extents:
                for place in range(start, start + length, BLOCK):
                    self._context.check_cancelled()
                    alive(f"reading byte {self._offset + place} of the medium")
                    there = self._storage.read(self._offset + place, min(BLOCK, start + length - place))
                    digest.add(there)
                    done += len(there)
                    self._context.progress(done, written.size)
        return digest.hexdigest

    @contextlib.contextmanager
    def _pieces(self) -> Iterator[Iterable[tuple[int, bytes]]]:
        """Give the pieces of the image; those of a packed one are made ahead, the others by the kernel."""
        if self._source.compression == "none":
            with contextlib.closing(self._source.pieces()) as pieces:
                yield pieces
            return
        ahead = Ahead(self._source.pieces(), self._context)
        try:
            yield ahead
        finally:
            ahead.close()

    def _digest(self) -> Digest:
        """Return what makes the checksum of a packed image, which takes longer to unpack anyhow."""
        return NoDigest() if self._source.compression == "none" else Digest()


@dataclass(frozen=True)
class Compared:
    """The first difference between medium and image: where, and up to 16 bytes of both; or none.

    The checksum is that of the image, when all of it was compared.
    """

    difference: tuple[int, bytes, bytes] | None
    sha256: str


def _extend(extents: list[Extent], place: int, length: int) -> None:
    """Add a piece to what was written; pieces that touch are one."""
    if extents and sum(extents[-1]) == place:
        extents[-1] = (extents[-1][0], extents[-1][1] + length)
    else:
        extents.append((place, length))


def _worn(offset: int, wanted: bytes, actual: bytes) -> LabError:
    return LabError(
        f"the medium does not keep what is written: byte {offset} is {_shown(actual)}, "
        f"expected {_shown(wanted)}",
        evidence={"offset": offset, "expected": wanted.hex(" "), "actual": actual.hex(" ")},
        hint="try another card, reader or cable",
    )


def _first_difference(wanted: bytes, actual: bytes) -> int:
    return next(
        (at for at, (one, other) in enumerate(zip(wanted, actual, strict=False)) if one != other), len(actual)
    )


def _shown(data: bytes) -> str:
    return data[:1].hex().upper() or "missing"
