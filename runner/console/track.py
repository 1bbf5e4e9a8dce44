"""One clean text: its last bytes in memory, and where each of them is in the raw log."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from runner.console.view import Piece

_MOST_SEGMENTS = 1 << 17
"""Text full of escape sequences is in little pieces, and the places of these need memory too."""


class Hit(NamedTuple):
    """A match, with offsets of the track."""

    start: int
    end: int
    text: bytes
    groups: tuple[bytes | None, ...] = ()
    named: Mapping[str, bytes | None] = MappingProxyType({})


class _Segment(NamedTuple):
    start: int
    raw: int
    source: bytes | None


class Track:
    """A text that grows at its end and is forgotten at its front; offsets count from its beginning."""

    def __init__(self, keep: int) -> None:
        """Keep at least the last `keep` bytes."""
        self._keep = keep
        self._data = bytearray()
        self._segments: list[_Segment] = []
        self.start = 0
        """Offset of the first byte that is still kept."""

    @property
    def end(self) -> int:
        """Offset behind the last byte."""
        return self.start + len(self._data)

    def append(self, piece: Piece) -> None:
        """Add a piece of the view."""
        last = self._segments[-1] if self._segments else None
        joins = (
            last is not None
            and last.source is None
            and piece.source is None
            and piece.raw - last.raw == self.end - last.start
        )
        if not joins:
            self._segments.append(_Segment(self.end, piece.raw, piece.source))
        self._data += piece.data
        if len(self._data) > self._keep + self._keep // 4:
            self._forget(len(self._data) - self._keep)
        if len(self._segments) > _MOST_SEGMENTS:
            self._forget(self._segments[_MOST_SEGMENTS // 4].start - self.start)

    def _forget(self, count: int) -> None:
        del self._data[:count]
        self.start += count
        first = bisect_right(self._segments, self.start, key=lambda segment: segment.start) - 1
        del self._segments[: max(first, 0)]

    def slice(self, start: int, end: int) -> bytes:
        """Return the bytes from `start` to `end`, as far as they are kept."""
        return bytes(self._data[max(start - self.start, 0) : max(end - self.start, 0)])

    def find(self, wanted: bytes, start: int, end: int | None = None) -> int:
        """Return the offset of the first `wanted` that lies inside, or -1."""
        stop = len(self._data) if end is None else max(end - self.start, 0)
        at = self._data.find(wanted, max(start - self.start, 0), stop)
        return at if at < 0 else at + self.start

    def rfind(self, wanted: bytes, start: int, end: int | None = None) -> int:
        """Return the offset of the last `wanted` that lies inside, or -1."""
        stop = len(self._data) if end is None else max(end - self.start, 0)
        at = self._data.rfind(wanted, max(start - self.start, 0), stop)
        return at if at < 0 else at + self.start

    def search(self, pattern: re.Pattern[bytes], start: int, end: int) -> Hit | None:
        """Return the first match that lies inside."""
        found = pattern.search(self._data, max(start - self.start, 0), max(end - self.start, 0))
        if found is None:
            return None
        return Hit(
            found.start() + self.start, found.end() + self.start, found[0], found.groups(), found.groupdict()
        )

    def line_start(self, offset: int) -> int:
        """Return where the line begins that holds `offset`."""
        return self.rfind(b"\n", self.start, offset) + 1 or self.start

    def line_end(self, offset: int) -> int:
        """Return the offset behind the line of `offset`; the end of all if it has no newline yet."""
        return self.find(b"\n", offset) + 1 or self.end

    def raw_of(self, offset: int) -> int:
        """Return the raw offset of a byte; for the end, the one behind the last byte."""
        if not self._segments:
            return 0
        if offset >= self.end > self.start:
            return self.raw_of(self.end - 1) + 1
        index = bisect_right(self._segments, offset, key=lambda segment: segment.start) - 1
        segment = self._segments[max(index, 0)]
        distance = max(offset - segment.start, 0)
        return segment.raw + (distance if segment.source is None else _with_returns(segment.source, distance))

    def offset_of(self, raw: int) -> int:
        """Return the offset of the first byte that comes from `raw` or behind it."""
        index = bisect_right(self._segments, raw, key=lambda segment: segment.raw) - 1
        if index < 0:
            return self.start
        segment = self._segments[index]
        following = self._segments[index + 1].start if index + 1 < len(self._segments) else self.end
        distance = raw - segment.raw
        if segment.source is not None:
            distance -= segment.source.count(b"\r\n", 0, distance + 1)
        return max(min(segment.start + distance, following), self.start)

    def lines(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Go through the lines from `start` to `end`: offset and bytes, without the newline."""
        while start < end:
            stop = min(self.line_end(start), end)
            yield start, self.slice(start, stop).rstrip(b"\n")
            start = stop


def _with_returns(source: bytes, distance: int) -> int:
    """Return how far into `source` the byte is that is `distance` bytes into it without carriage returns."""
    index = distance
    while (further := distance + source.count(b"\r\n", 0, index + 2)) != index:
        index = further
    return index
