"""One pattern looked for in one track, each byte once."""

from __future__ import annotations

import re
from typing import NamedTuple

from runner.console.pattern import Pattern
from runner.console.track import Hit, Track

SPAN = 16 * 1024
"""How far back a match may begin that goes over the ends of lines, in bytes."""


class Sighting(NamedTuple):
    """A match, and the raw offset at which it was certain; the earliest one counts."""

    certain: int
    start: int
    end: int
    pattern: Pattern
    hit: Hit
    kernel: bool


class Search:
    """Looks for a pattern in what is new since it looked last."""

    def __init__(self, pattern: Pattern, track: Track, start: int, *, kernel: bool = False) -> None:
        """Look from the offset `start` on."""
        self.pattern = pattern
        self._track = track
        self._kernel = kernel
        self._floor = start
        self._position = start
        self._found: Sighting | None = None

    def advance(self, *, quiet: bool) -> Sighting | None:
        """Return the first match there is; `quiet`: an unfinished line counts as it stands."""
        if self._found is None:
            self._found = self._first(quiet=quiet)
        return self._found

    def _first(self, *, quiet: bool) -> Sighting | None:
        if self.pattern.fixed:
            return self._fixed()
        end = self._track.end
        judged = end if quiet else self._track.rfind(b"\n", self._position) + 1
        if judged <= self._position:
            return None
        hit = self._crossing(judged) if self.pattern.crosses else self._in_lines(judged)
        if hit is None:
            complete = self._track.slice(judged - 1, judged) == b"\n"
            self._position = judged if complete else max(self._track.line_start(judged), self._position)
            return None
        return self._sighting(hit, min(self._track.line_end(max(hit.end - 1, hit.start)), judged))

    def _fixed(self) -> Sighting | None:
        pattern, track = self.pattern, self._track
        end = track.end
        at = track.find(pattern.literal, self._position) if pattern.literal else self._position
        hit = None
        if pattern.exact is not None and at >= 0:
            hit = Hit(at, at + pattern.width, pattern.exact)
        elif pattern.regex is not None and at >= 0:
            hit = track.search(pattern.regex, self._position, end)
        if hit is None:
            self._position = max(self._position, end - pattern.width + 1)
            return None
        return self._sighting(hit, hit.end)

    def _in_lines(self, judged: int) -> Hit | None:
        regex, track, literal = self._regex, self._track, self.pattern.literal
        if not literal:
            return track.search(regex, self._position, judged)
        at = track.find(literal, self._position, judged)
        while at >= 0:
            end = min(track.line_end(at), judged)
            hit = track.search(regex, max(track.line_start(at), self._floor), end)
            if hit is not None:
                return hit
            at = track.find(literal, end, judged)
        return None

    def _crossing(self, judged: int) -> Hit | None:
        """Find the match that the earliest end of a line makes certain."""
        track = self._track
        start = max(self._floor, self._position - SPAN)
        best = track.search(self._regex, start, judged)
        if best is None:
            return None
        ends = [offset + len(line) + 1 for offset, line in track.lines(best.start, best.end)][:-1]
        low, high = 0, len(ends)
        while low < high:
            middle = (low + high) // 2
            earlier = track.search(self._regex, start, ends[middle])
            if earlier is None:
                low = middle + 1
            else:
                best, high = earlier, middle
        return best

    @property
    def _regex(self) -> re.Pattern[bytes]:
        assert self.pattern.regex is not None  # noqa: S101 - a pattern that is not fixed has one
        return self.pattern.regex

    def _sighting(self, hit: Hit, certain: int) -> Sighting:
        raw_of = self._track.raw_of
        return Sighting(
            certain=raw_of(certain - 1) + 1,
            start=raw_of(hit.start),
            end=raw_of(hit.end - 1) + 1,
            pattern=self.pattern,
            hit=hit,
            kernel=self._kernel,
        )
