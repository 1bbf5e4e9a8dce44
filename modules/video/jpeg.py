"""What can be told of a JPEG file without decoding it (ITU-T T.81, annex B)."""

from __future__ import annotations

_START = b"\xff\xd8"
_END = b"\xff\xd9"
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length: TEM and RSTn (table B.1)."""
_NO_FRAME = frozenset({0xC4, 0xC8, 0xCC})
"""DHT, JPG and DAC, amid the markers that begin a frame (SOFn, table B.1)."""
_SCAN = 0xDA


def size_of(data: bytes) -> tuple[int, int]:
    """Return width and height in pixels; raise ValueError when it is no JPEG file, or not a whole one.

    >>> size_of(b"<html>no camera</html>")
    Traceback (most recent call last):
    ValueError: it is no JPEG: it begins with '<html>no camera</html>'
    """
    if not data.startswith(_START):
        begins = data[:32].decode("ascii", "replace")
        raise ValueError(f"it is no JPEG: it begins with {begins!r}" if data else "it is empty")
    if not data.rstrip(b"\0\r\n").endswith(_END):
        raise ValueError(f"the JPEG is cut off after {len(data)} bytes")
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in range(0xC0, 0xD0) and marker not in _NO_FRAME:
            height, width = (int.from_bytes(data[at + each : at + each + 2], "big") for each in (5, 7))
            if width and height:
                return width, height
            break
        if marker == _SCAN:
            break
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise ValueError("the JPEG is broken: it does not say how large the picture is")
