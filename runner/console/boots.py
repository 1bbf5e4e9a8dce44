"""Telling a start that was asked for from one that was not: by the banners, and by what we did.

The banners of one start come in an order: TPL, SPL, U-Boot, Linux. One that is not later than
the last one, or than what has answered us meanwhile, is the beginning of another start.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from runner.console.watched import RESET, RESET_LOOP, Stage

LOOP_TIMES, LOOP_WITHIN = 3, 10.0
"""The same banner so often within so many seconds is a loop."""
_KEPT = 16


@dataclass(frozen=True)
class _Banner:
    raw: int
    at: float
    order: int
    before: int
    """The stage that was known before it."""


class Boots:
    """Where the board is in its start, as far as its console shows."""

    def __init__(self) -> None:
        """Know nothing: the board may be off, or may have run for days."""
        self.stage = 0
        self._expected_until = -math.inf
        self._banners: list[_Banner] = []

    def power_on(self) -> None:
        """Begin anew: the power was switched on."""
        self.stage = 0
        self._expected_until = -math.inf
        self._banners.clear()

    def expect(self, until: float) -> None:
        """Take the next start before `until` for one that was asked for."""
        self._expected_until = until

    def expected(self, now: float) -> bool:
        """Tell whether a reset would be one that was asked for."""
        return now <= self._expected_until

    def reached(self, order: int) -> None:
        """Take note that this stage has answered us."""
        self.stage = order

    def banner(self, stage: Stage, raw: int, now: float) -> str:
        """Take a banner; return the name of what it gives away: a reset, a loop of them, or nothing."""
        if stage.order <= self.stage and self.expected(now):
            self.power_on()
        before, self.stage = self.stage, stage.order
        self._banners = [*self._banners[1 - _KEPT :], _Banner(raw, now, stage.order, before)]
        same = [each for each in self._banners if each.order == stage.order and now - each.at <= LOOP_WITHIN]
        if len(same) >= LOOP_TIMES:
            return RESET_LOOP
        return RESET if stage.order <= before else ""

    def forget(self, start: int, end: int) -> None:
        """Take back the banners between two raw offsets: they were only quoted."""
        quoted: Sequence[_Banner] = [each for each in self._banners if start <= each.raw < end]
        if quoted:
            self.stage = quoted[0].before
            self._banners = [each for each in self._banners if each not in quoted]
