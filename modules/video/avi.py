"""A film of JPEG pictures as an AVI file (AVI RIFF File Reference; OpenDML 1.02 for MJPG).

Written here because what writes films is compiled (ffmpeg, OpenCV) and could not travel to a host; the
pictures are kept as they are, so that there is nothing to encode.
"""

from __future__ import annotations

import struct
from typing import IO

_HAS_INDEX = 0x10
_KEY_FRAME = 0x10
_MOVIE_AT = 12 + 8 + 4 + 8 + 56 + 8 + 4 + 8 + 56 + 8 + 40
"""Bytes in front of the list of pictures: RIFF, the list of headers, and what is in it."""
LARGEST = 2_000_000_000
"""Bytes of a file that every player reads: sizes have 32 bits, and some take them for signed."""


class Avi:
    """Writes a film into a file; it can be played once `finish` has been called."""

    def __init__(self, file: IO[bytes]) -> None:
        """Begin at the start of an empty file."""
        self._file = file
        self._index: list[tuple[int, int]] = []
        self._at = 4
        self._size = (0, 0)
        self._file.write(self._headers(1.0))

    @property
    def size(self) -> int:
        """How large the file is by now, with its index."""
        return _MOVIE_AT + 16 + self._at + 16 * len(self._index)

    def add(self, jpeg: bytes, width: int, height: int) -> None:
        """Write a picture; the size of the first one is the film's."""
        if not self._index:
            self._size = (width, height)
        self._file.write(struct.pack("<4sI", b"00dc", len(jpeg)) + jpeg + b"\0" * (len(jpeg) % 2))
        self._index.append((self._at, len(jpeg)))
        self._at += 8 + len(jpeg) + len(jpeg) % 2

    def finish(self, fps: float) -> None:
        """Write the index and how fast it is played."""
        entries = (struct.pack("<4sIII", b"00dc", _KEY_FRAME, at, length) for at, length in self._index)
        self._file.write(_chunk(b"idx1", b"".join(entries)))
        self._file.seek(0)
        self._file.write(self._headers(fps))
        self._file.flush()

    def _headers(self, fps: float) -> bytes:
        """Return everything up to the first picture."""
        width, height = self._size
        count = len(self._index)
        largest = max((length for _, length in self._index), default=0)
        rate, scale = round(fps * 1000) or 1, 1000
        main = struct.pack(
            "<14I", round(1e6 / fps), 0, 0, _HAS_INDEX, count, 0, 1, largest, width, height, 0, 0, 0, 0
        )
        stream = struct.pack(
            "<4s4sIHHIIIIIIII4H",
            *(b"vids", b"MJPG", 0, 0, 0, 0, scale, rate, 0, count, largest, 0xFFFFFFFF, 0),
            *(0, 0, min(width, 0x7FFF), min(height, 0x7FFF)),
        )
        bitmap = struct.pack(
            "<IiiHH4sIiiII", 40, width, height, 1, 24, b"MJPG", width * height * 3, 0, 0, 0, 0
        )
        lists = _list(b"strl", _chunk(b"strh", stream) + _chunk(b"strf", bitmap))
        headers = _list(b"hdrl", _chunk(b"avih", main) + lists)
        whole = 4 + len(headers) + 8 + self._at + 8 + 16 * count
        return (
            struct.pack("<4sI4s", b"RIFF", whole, b"AVI ")
            + headers
            + struct.pack("<4sI4s", b"LIST", self._at, b"movi")
        )


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack("<4sI", name, len(content)) + content


def _list(name: bytes, content: bytes) -> bytes:
    return _chunk(b"LIST", name + content)
