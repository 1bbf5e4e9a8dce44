"""The search for frames in what a bus has received and receives."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runner.api import CanBus, CanFrame, Context, Duration, Failed, TimedOut
from runner.modules.can.frame import shown
from runner.modules.can.pattern import Pattern
from runner.modules.can.signals import SignalCheck

_SHOWN = 8


@dataclass(frozen=True)
class Expected:
    """Frames that must all come: in this order, or in any; `check` compares a message's signals."""

    patterns: tuple[Pattern, ...]
    ordered: bool
    check: SignalCheck | None = None

    def fitting(self, frame: CanFrame, left: Sequence[Pattern]) -> Pattern | None:
        """Return the pattern that a frame fulfils of those that are left."""
        candidates = left[:1] if self.ordered else left
        found = next((each for each in candidates if each.matches(frame)), None)
        return None if found is None or self.problem(frame) else found

    def problem(self, frame: CanFrame) -> str:
        """Say what is wrong with the signals of a frame."""
        return "" if self.check is None else self.check.problem(frame)

    def signals_of(self, frame: CanFrame) -> dict[str, Any]:
        """Return the values of the signals, when a message is expected."""
        return {} if self.check is None else self.check.values(frame)

    def __str__(self) -> str:
        """Write it for a person."""
        if self.check is not None:
            return self.check.message
        return ", ".join(dict.fromkeys(map(str, self.patterns)))


class Search:
    """Looks at frames, from the record and as they come, until the time is over."""

    def __init__(self, *, bus: CanBus, expected: Expected, within: Duration, absent: bool) -> None:
        """Begin now."""
        self.expected = expected
        self._bus = bus
        self._within = within
        self._absent = absent
        self.started = time.monotonic()
        self._end = self.started + within

    def all(self, after: int, context: Context) -> tuple[CanFrame, ...]:
        """Return the frames once all have come; raise TimedOut with what came instead."""
        left = list(self.expected.patterns)
        found: list[CanFrame] = []
        others: deque[CanFrame] = deque(maxlen=_SHOWN)
        while left:
            frame = self._next(after, context)
            if frame is None:
                raise self._missing(left, found, others)
            after = frame.number
            pattern = self.expected.fitting(frame, left)
            if pattern is None:
                others.append(frame)
                continue
            left.remove(pattern)
            found.append(frame)
        return tuple(found)

    def refuse_any(self, after: int, context: Context) -> None:
        """Raise Failed as soon as a frame comes that must not."""
        while (frame := self._next(after, context)) is not None:
            after = frame.number
            if self.expected.fitting(frame, self.expected.patterns) is not None:
                raise Failed(
                    f"{shown(frame)} came, which must not come within {self._within}",
                    evidence={
                        "unexpected": str(self.expected),
                        "seen": shown(frame),
                        "within": float(self._within),
                    },
                )

    def _next(self, after: int, context: Context) -> CanFrame | None:
        frame = self._bus.next(after, max(self._end - time.monotonic(), 0.0), context)
        return None if frame is None or frame.time > self._end else frame

    def _missing(self, left: list[Pattern], found: list[CanFrame], others: deque[CanFrame]) -> TimedOut:
        wanted = str(self.expected) if self.expected.check else str(left[0])
        total = len(self.expected.patterns)
        same = len(set(self.expected.patterns)) == 1
        many = f"{len(found)} of {total} frames" if total > 1 and same else "no frame"
        near = [frame for frame in others if frame.id == left[0].id] or list(others)
        seen = f", but {self._told(near[-1], left[0])}" if near else ", and no other"
        came = f" after {len(found)} of {total}" if found and not same else ""
        return TimedOut(
            f"{many} {wanted} within {self._within}{came}{seen}",
            evidence={
                "expected": str(self.expected),
                "found": [shown(frame) for frame in found],
                "others": [shown(frame) for frame in others],
                "within": float(self._within),
                "limit": "within",
            },
        )

    def _told(self, frame: CanFrame, pattern: Pattern) -> str:
        """Say of a frame what it was, and what is wrong with its signals."""
        problem = self.expected.problem(frame) if pattern.matches(frame) else ""
        return f"{shown(frame)}: {problem}" if problem else shown(frame)
