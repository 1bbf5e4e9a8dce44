"""Patterns waited for together: any of them, all, in order, so many times, and none of some others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from runner.console.pattern import Pattern
from runner.console.search import Search, Sighting
from runner.console.transcript import Transcript

Mode = Literal["any", "all", "ordered"]


class Expectation:
    """Listens to a transcript until it is satisfied, or disappointed by a forbidden pattern."""

    def __init__(
        self,
        transcript: Transcript,
        patterns: Sequence[Pattern],
        since: int,
        *,
        forbid: Sequence[Pattern] = (),
        mode: Mode = "any",
        count: int = 1,
    ) -> None:
        """Look from the raw offset `since` on; `count` matches are asked for in the mode ``any``."""
        self._transcript = transcript
        self._patterns = tuple(patterns)
        self._mode = mode
        self._count = count if mode == "any" else len(self._patterns)
        self.found: list[Sighting] = []
        self.forbidden: Sighting | None = None
        self._forbidden = [search for pattern in forbid for search in self._searches(pattern, since)]
        self._wanted = self._from(since)

    @property
    def done(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.forbidden is not None or len(self.found) >= self._count

    @property
    def missing(self) -> tuple[Pattern, ...]:
        """The patterns still waited for."""
        if self._mode == "ordered":
            return self._patterns[len(self.found) :]
        seen = {id(sighting.pattern) for sighting in self.found} if self._mode == "all" else set()
        return tuple(pattern for pattern in self._patterns if id(pattern) not in seen)

    def advance(self, *, quiet: bool) -> None:
        """Look at what is new."""
        while not self.done:
            forbidden = _earliest(self._forbidden, quiet=quiet)
            wanted = _earliest(self._wanted, quiet=quiet)
            if forbidden and (wanted is None or forbidden.certain <= wanted.certain):
                self.forbidden = forbidden
                return
            if wanted is None:
                return
            self.found.append(wanted)
            self._go_on(wanted)

    def _go_on(self, sighting: Sighting) -> None:
        if self.done:
            return
        if self._mode == "all":
            self._wanted = [search for search in self._wanted if search.pattern is not sighting.pattern]
        else:
            self._wanted = self._from(sighting.end)

    def _from(self, raw: int) -> list[Search]:
        patterns = self._patterns
        if self._mode == "ordered":
            patterns = patterns[len(self.found) : len(self.found) + 1]
        return [search for pattern in patterns for search in self._searches(pattern, raw)]

    def _searches(self, pattern: Pattern, raw: int) -> tuple[Search, Search]:
        text, kernel = self._transcript.text, self._transcript.kernel
        return (
            Search(pattern, text, text.offset_of(raw)),
            Search(pattern, kernel, kernel.offset_of(raw), kernel=True),
        )


def _earliest(searches: Sequence[Search], *, quiet: bool) -> Sighting | None:
    seen = [sighting for search in searches if (sighting := search.advance(quiet=quiet)) is not None]
    return min(seen, key=lambda sighting: (sighting.certain, sighting.start), default=None)
