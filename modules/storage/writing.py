"""Writes the pieces of an image to a medium, and reads them back; reading, checksums and writing overlap."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from runner.api import Context, Duration, LabError, Storage
from runner.modules.storage.ahead import Ahead, Digest
from runner.modules.storage.image_source import ImageSource
from runner.modules.storage.packing import BLOCK
from runner.modules.storage.patient import Patient

Verify = Literal["none", "sample", "full"]
Extent = tuple[int, int]

_ONE_IN = 16
"""A sample is the first two pieces and one in so many of the others."""


@dataclass(frozen=True)
class Written:
    """What was written: how much, its checksum, where, and how long that took with the flush."""

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
        done, extents = 0, list[Extent]()
        with self._pieces() as pieces, Digest() as digest:
            for place, piece in pieces:
                self._write(place, piece)
                digest.add(piece)
                done += len(piece)
                _extend(extents, place, len(piece))
                self._context.progress(done, self._source.amount)
        self._patient.ask(
            self._storage.flush, self._flush, f"flushing the medium after {done} bytes", "fsync_timeout"
        )
        return Written(done, digest.hexdigest, tuple(extents), time.monotonic() - began)

    def verify(self, how: Verify, written: Written) -> None:
        """Read back; raise LabError for a byte that is not what was written."""
        if how == "none":
            return
        self._patient.ask(self._storage.forget, self._flush, "dropping what is cached", "fsync_timeout")
        if how == "full" and self._checksum(written) == written.sha256:
            return
        found = self.difference(how)
        if found is not None:
            raise _worn(*found)
        if how == "full":
            raise LabError(
                "the medium reads differently each time: its checksum was wrong, then every byte was right",
                hint="try another card, reader or cable",
            )

    def difference(self, how: Verify) -> tuple[int, bytes, bytes] | None:
        """Return the first difference: where on the medium, and up to 16 bytes of both from there on."""
        done = 0
        with self._pieces() as pieces:
            for number, (place, piece) in enumerate(pieces):
                if how == "full" or number < 2 or number % _ONE_IN == 0:
                    there = self._read(self._offset + place, len(piece))
                    if there != piece:
                        at = _first_difference(piece, there)
                        return self._offset + place + at, piece[at : at + 16], there[at : at + 16]
                done += len(piece)
                self._context.progress(done, self._source.amount)
        return None

    def sha256(self) -> str:
        """Return the checksum of what would be written."""
        with self._pieces() as pieces, Digest() as digest:
            for _, piece in pieces:
                digest.add(piece)
        return digest.hexdigest

    def _checksum(self, written: Written) -> str:
        """Return the checksum of what the medium has where the image was written."""
        done = 0
        with Digest() as digest:
            for start, length in written.extents:
                for place in range(start, start + length, BLOCK):
                    self._context.check_cancelled()
                    there = self._read(self._offset + place, min(BLOCK, start + length - place))
                    digest.add(there)
                    done += len(there)
                    self._context.progress(done, written.size)
        return digest.hexdigest

    def _write(self, place: int, piece: bytes) -> None:
        where = self._offset + place
        self._patient.ask(
            lambda: self._storage.write(where, piece),
            self._stall,
            f"writing at byte {where} of the medium",
            "stall",
        )

    def _read(self, where: int, length: int) -> bytes:
        return self._patient.ask(
            lambda: self._storage.read(where, length),
            self._stall,
            f"reading byte {where} of the medium",
            "stall",
        )

    @contextlib.contextmanager
    def _pieces(self) -> Iterator[Ahead[tuple[int, bytes]]]:
        ahead = Ahead(self._source.pieces(), self._context)
        try:
            yield ahead
        finally:
            ahead.close()


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
