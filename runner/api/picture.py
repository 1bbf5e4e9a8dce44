"""A picture of a screen: bytes of red, green and blue, and the files that hold them."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass, field

_HEADER = re.compile(rb"P6\s+(?:#[^\n]*\n\s*)*(\d+)\s+(\d+)\s+255\s")


@dataclass(frozen=True)
class Picture:
    """Rows from the top, each of `width` times three bytes."""

    width: int
    height: int
    rgb: bytes = field(repr=False)

    @classmethod
    def from_ppm(cls, data: bytes) -> Picture:
        """Read a binary PPM file of 8 bits a colour (netpbm, ppm(5)); raise ValueError for anything else.

        >>> Picture.from_ppm(b"P6 1 1 255 abc")
        Picture(width=1, height=1)
        """
        header = _HEADER.match(data)
        if header is None:
            raise ValueError(f"not a PPM file: it begins with {data[:8]!r}")
        width, height = int(header[1]), int(header[2])
        rgb = data[header.end() :]
        if len(rgb) != width * height * 3:
            raise ValueError(f"a PPM file of {width}x{height} with {len(rgb)} bytes of colours")
        return cls(width, height, rgb)

    @property
    def colours(self) -> int:
        """How many different ones there are: 1 is an empty screen."""
        return len(set(zip(self.rgb[::3], self.rgb[1::3], self.rgb[2::3], strict=True)))

    def png(self) -> bytes:
        r"""Return it as a PNG file (W3C, Portable Network Graphics, third edition, sections 5 and 11).

        >>> Picture(1, 1, bytes(3)).png()[:4]
        b'\x89PNG'
        """
        row = self.width * 3
        lines = (b"\0" + self.rgb[at : at + row] for at in range(0, len(self.rgb), row))
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        parts = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(lines))), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
