"""A picture of a screen: bytes of red, green and blue, and the files that hold them."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

_PNG = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Bytes of a pixel of each colour type of PNG, at 8 bits a sample."""
_LARGEST = 1 << 26
"""Pixels."""
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

    @classmethod
    def from_png(cls, data: bytes) -> Picture:
        """Read a PNG file of 8 bits a sample, not interlaced (W3C, as below, sections 5, 7, 9 and 11).

        What is transparent counts as it is stored. Raise ValueError for anything else.

        >>> Picture.from_png(Picture(1, 1, b"abc").png()).rgb
        b'abc'
        """
        try:
            parts = list(_chunks(data))
            width, height, depth, colours, _, _, interlaced = struct.unpack(">IIBBBBB", dict(parts)[b"IHDR"])
            size = _CHANNELS[colours]
            if depth != 8 or interlaced or width * height > _LARGEST:
                raise ValueError(f"{width}x{height}, {depth} bits a sample, interlaced: {interlaced}")
            packed = b"".join(part for kind, part in parts if kind == b"IDAT")
            rows = zlib.decompressobj().decompress(packed, (width * size + 1) * height)
            samples = _unfiltered(rows, width * size, size)
            rgb = _rgb(samples, colours, dict(parts).get(b"PLTE", b""))
            if len(rgb) != width * height * 3:
                raise ValueError(f"a PNG file of {width}x{height} with {len(rgb)} bytes of colours")
            return cls(width, height, rgb)
        except (KeyError, IndexError, struct.error, zlib.error) as error:
            raise ValueError(f"not a PNG file that can be read: {error}") from error

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
        return _PNG + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Return kind and content of each chunk; raise ValueError when it is no PNG file, or cut off."""
    if not data.startswith(_PNG):
        raise ValueError(f"not a PNG file: it begins with {data[:8]!r}")
    at, kind = len(_PNG), b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8 : at + 8 + length]
        at += 12 + length


def _unfiltered(rows: bytes, length: int, size: int) -> bytes:
    """Undo the filter of each row, the byte before it (section 9); `size` is that of a pixel."""
    done = bytearray()
    above = bytes(length)
    for start in range(0, len(rows), length + 1):
        row = bytearray(rows[start + 1 : start + 1 + length])
        _unfilter(rows[start], row, above, size)
        above = bytes(row)
        done += row
    return bytes(done)


def _unfilter(kind: int, row: bytearray, above: bytes, size: int) -> None:
    """Add to each byte what was predicted from its neighbours: left, above, and left of that."""
    if kind == 1:
        for at in range(size, len(row)):
            row[at] = row[at] + row[at - size] & 255
    elif kind == 2:
        row[:] = bytes(byte + up & 255 for byte, up in zip(row, above, strict=True))
    elif kind == 3:
        for at, up in enumerate(above):
            row[at] = row[at] + ((row[at - size] if at >= size else 0) + up) // 2 & 255
    elif kind == 4:
        for at, up in enumerate(above):
            left, corner = (row[at - size], above[at - size]) if at >= size else (0, 0)
            row[at] = row[at] + _paeth(left, up, corner) & 255
    elif kind:
        raise ValueError(f"a PNG file with a row of filter {kind}")


def _paeth(left: int, up: int, corner: int) -> int:
    """Return the neighbour that is nearest to left + up - corner (section 9.4)."""
    by_left, by_up, by_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    if by_left <= by_up and by_left <= by_corner:
        return left
    return up if by_up <= by_corner else corner


def _rgb(samples: bytes, colours: int, palette: bytes) -> bytes:
    """Return red, green and blue of each pixel."""
    if colours == 2:
        return samples
    if colours == 3:
        return b"".join(palette[3 * each : 3 * each + 3] for each in samples)
    size = _CHANNELS[colours]
    rgb = bytearray(3 * len(samples) // size)
    for place in range(3):
        rgb[place::3] = samples[place if size == 4 else 0 :: size]
    return bytes(rgb)
