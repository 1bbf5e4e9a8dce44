"""Frames: how bytes between controller and agent are cut into pieces. Functions of bytes, no port.

A frame is ``u32 length | u8 kind | u32 stream | payload``, big-endian; the length is the
payload's. Streams are numbered by the controller from 1, consoles by the agent from
`FIRST_CONSOLE`; stream 0 is the connection itself.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterator
from typing import NamedTuple

PROTOCOL = 1
LARGEST_FRAME = 64 * 1024
_HEADER = struct.Struct(">IBI")
LARGEST_PAYLOAD = LARGEST_FRAME - _HEADER.size
CONNECTION = 0
FIRST_CONSOLE = 0x8000_0000


class Kind(enum.IntEnum):
    """What a frame carries: raw bytes for DATA and CREDIT (u32), JSON or nothing for the others."""

    HELLO = 1
    PUSH = 2
    CALL = 3
    RESULT = 4
    ERROR = 5
    EVENT = 6
    DATA = 7
    CREDIT = 8
    CANCEL = 9
    END = 10
    PING = 11
    PONG = 12


class Frame(NamedTuple):
    """One frame."""

    kind: Kind
    stream: int
    payload: bytes


class ProtocolError(Exception):
    """What came in is not what the other side can have meant to say; the connection is of no more use."""


_KINDS = {int(kind): kind for kind in Kind}


class FrameReader:
    """Cuts a stream of bytes into frames, however the bytes come in."""

    def __init__(self) -> None:
        """Wait for the first frame."""
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """Take more bytes and return the frames that are complete; raise ProtocolError for garbage."""
        if self._rest:
            data = self._rest + data
        frames: list[Frame] = []
        start = 0
        while len(data) - start >= _HEADER.size:
            length, kind, stream = _HEADER.unpack_from(data, start)
            if length > LARGEST_PAYLOAD or kind not in _KINDS:
                raise ProtocolError(f"expected a frame, got {data[start : start + 80]!r}")
            end = start + _HEADER.size + length
            if end > len(data):
                break
            frames.append(Frame(_KINDS[kind], stream, data[start + _HEADER.size : end]))
            start = end
        self._rest = data[start:]
        return frames

    def finish(self) -> None:
        """Raise ProtocolError when the bytes ended within a frame."""
        if self._rest:
            raise ProtocolError(f"the stream ended within a frame, after {self._rest[:80]!r}")


def frame(kind: Kind, stream: int, payload: bytes = b"") -> bytes:
    """Return the bytes of one frame.

    >>> frame(Kind.PING, 0).hex(" ")
    '00 00 00 00 0b 00 00 00 00'
    """
    if len(payload) > LARGEST_PAYLOAD:
        raise ValueError(f"{len(payload)} bytes do not fit into a frame of {LARGEST_FRAME}")
    return _HEADER.pack(len(payload), kind, stream) + payload


def frames(kind: Kind, stream: int, payload: bytes) -> Iterator[bytes]:
    """Return a message cut into frames: at least one, all of the same kind."""
    for start in range(0, len(payload) or 1, LARGEST_PAYLOAD):
        yield frame(kind, stream, payload[start : start + LARGEST_PAYLOAD])
