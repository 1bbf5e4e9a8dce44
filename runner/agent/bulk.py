"""The content of a file as payloads of DATA frames: raw, packed, or as holes. Functions of bytes, no port.

Each payload begins with a byte that says its form. Packed pieces are those of one zlib stream
(RFC 1950) after the other, cut anywhere.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from runner.agent.frames import LARGEST_PAYLOAD, ProtocolError

LEAST_UNDER_WAY, MOST_UNDER_WAY = 256 * 1024, 1024 * 1024
"""Bytes of an upload that are under way: what a key typed on a console can have before it."""
FROM, RAW, PACKED, HOLE, END = b"F", b"R", b"Z", b"H", b"E"
BLOCK = 8 * (LARGEST_PAYLOAD - 1)
"""How much is looked at together: eight frames when it cannot be packed."""
_PLACE = struct.Struct(">Q")
_SAMPLE = 4096
_PAYS = 0.9
_UNPACKED = 2**20
_ZEROS = bytes(_UNPACKED)


def begin(offset: int) -> bytes:
    """Return the payload that says where in the file the next byte belongs."""
    return FROM + _PLACE.pack(offset)


def hole(length: int) -> bytes:
    """Return the payload that stands for so many zeros that are not stored."""
    return HOLE + _PLACE.pack(length)


def pack(block: bytes) -> Iterator[bytes]:
    """Return the payloads for a block: packed when a sample of it shows that this pays."""
    form = RAW
    if len(zlib.compress(block[:_SAMPLE], 1)) < _PAYS * min(_SAMPLE, len(block)):
        form, block = PACKED, zlib.compress(block, 1)
    for start in range(0, len(block), LARGEST_PAYLOAD - 1):
        yield form + block[start : start + LARGEST_PAYLOAD - 1]


class Unpacker:
    """Turns payloads back into content, a bounded piece at a time."""

    def __init__(self) -> None:
        """Expect the beginning of a packed block."""
        self._packed = zlib.decompressobj()

    def pieces(self, payload: bytes) -> Iterator[bytes]:
        """Return the content of a RAW or PACKED payload; raise ProtocolError for anything else."""
        if payload[:1] == RAW:
            yield payload[1:]
            return
        if payload[:1] != PACKED:
            raise ProtocolError(f"expected a piece of a file, got {payload[:80]!r}")
        data = payload[1:]
        try:
            while data:
                yield self._packed.decompress(data, _UNPACKED)
                data = self._packed.unconsumed_tail
                if self._packed.eof:
                    data, self._packed = self._packed.unused_data, zlib.decompressobj()
        except zlib.error as error:
            raise ProtocolError(f"expected a packed piece of a file, got {payload[:80]!r}") from error


def place(payload: bytes) -> int:
    """Read the number of a FROM or HOLE payload; raise ProtocolError for anything else."""
    if len(payload) != 1 + _PLACE.size:
        raise ProtocolError(f"expected a place in a file, got {payload[:80]!r}")
    number: int = _PLACE.unpack_from(payload, 1)[0]
    return number


def zeros(length: int) -> Iterator[bytes]:
    """Return so many zeros in pieces, for a checksum."""
    for start in range(0, length, len(_ZEROS)):
        yield _ZEROS[: length - start]
