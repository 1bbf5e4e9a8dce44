"""Looking through new lines for many literals, before any regular expression is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from runner.console.track import Track

_KEPT = 256 * 1024


class Line(NamedTuple):
    """A line of a track, without its newline: its offset there, its bytes, and the offset behind it."""

    start: int
    data: bytes
    end: int


class Scan:
    """Goes over the lines of a track when they are complete, or when nothing follows for a while."""

    def __init__(self, track: Track) -> None:
        """Look from what comes now on."""
        self._track = track
        self._judged = self._looked = track.end

    def news(self, *, quiet: bool) -> tuple[int, int]:
        """Return where the new lines are; `quiet`: an unfinished one as it stands, and again later."""
        track = self._track
        complete = max(track.rfind(b"\n", self._looked) + 1, self._judged)
        self._looked = track.end
        start, stop = self._judged, track.end if quiet else complete
        self._judged = complete
        return start, stop

    def lines(self, start: int, stop: int, literals: Sequence[bytes]) -> Iterator[Line]:
        """Go through the lines between two offsets that hold any of `literals`."""
        track = self._track
        if stop <= start:
            return
        for at in {at for literal in literals for at in _lines_with(track, literal, start, stop)}:
            end = min(track.line_end(at), stop)
            yield Line(at, track.slice(at, end).rstrip(b"\n"), end)


def _lines_with(track: Track, literal: bytes, start: int, stop: int) -> Iterator[int]:
    at = track.find(literal, start, stop)
    while at >= 0:
        yield track.line_start(at)
        at = track.find(literal, track.line_end(at), stop)


class LineNumbers:
    """Which line of the raw log an offset is in."""

    def __init__(self) -> None:
        """Begin with the first line."""
        self._newlines = 0
        self._end = 0
        self._recent = bytearray()

    def add(self, data: bytes) -> None:
        """Take the next raw bytes."""
        self._newlines += data.count(b"\n")
        self._end += len(data)
        self._recent += data
        if len(self._recent) > 2 * _KEPT:
            del self._recent[:-_KEPT]

    def of(self, offset: int) -> int:
        """Return the number of the line, from 1; 0 when it is too long ago to tell."""
        start = self._end - len(self._recent)
        if offset < start:
            return 0
        return self._newlines - self._recent.count(b"\n", offset - start) + 1
