"""Which case a bench plays next."""

from __future__ import annotations

import dataclasses
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from runner.engine.options import PlayOptions
from runner.engine.plan import Case


class Source:
    """Hands out cases: all of them to each bench, or each of them to one bench (``shard``)."""

    def __init__(self, cases: Sequence[Case], options: PlayOptions, *, shard: bool) -> None:
        """Hand out `cases`, as often as the options say."""
        self._cases = tuple(cases)
        self._options = options
        self._lock = threading.Lock()
        self._units = deque(_units(cases)) if shard else None
        self.stopped = ""
        """Why no further case is to be played, though some are left."""

    def cases(self) -> Iterator[tuple[int, Case]]:
        """Go through the cases of one bench, with their place in the play."""
        for turn in self._turns():
            for place, case in enumerate(self._once()):
                yield turn * len(self._cases) + place, _numbered(case, turn)
            if self._options.until_fail and self.stopped:
                return

    def _turns(self) -> Iterable[int]:
        if not self._options.until_fail:
            return range(self._options.repeat)
        return iter(range(self._options.repeat if self._options.repeat > 1 else 1_000_000))

    def _once(self) -> Iterator[Case]:
        if self._units is None:
            yield from self._cases
            return
        while unit := self._next_unit():
            yield from unit

    def _next_unit(self) -> tuple[Case, ...]:
        with self._lock:
            return self._units.popleft() if self._units else ()


def _numbered(case: Case, turn: int) -> Case:
    return case if turn == 0 else dataclasses.replace(case, label=f"{case.label}#{turn + 1}")


def _units(cases: Sequence[Case]) -> list[tuple[Case, ...]]:
    """Put cases that require one another together, so that one bench plays them all."""
    units: list[list[Case]] = []
    home: dict[str, list[Case]] = {}
    for case in cases:
        joined = [home[name] for name in case.test.requires if name in home]
        if not joined:
            unit = [case]
            units.append(unit)
        else:
            unit = joined[0]
            for other in joined[1:]:
                if other is not unit and other in units:
                    unit.extend(other)
                    units.remove(other)
                    for moved in other:
                        home[moved.test.name] = unit
            unit.append(case)
        home[case.test.name] = unit
    return [tuple(unit) for unit in units]
