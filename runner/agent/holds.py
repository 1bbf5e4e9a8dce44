"""Ends the hold of a bench when its time is over, or when somebody takes it away by force."""

from __future__ import annotations

import functools
from collections.abc import Callable

from runner.agent.calls import Take, TakenAway
from runner.agent.locks import Locks
from runner.agent.timers import Timers
from runner.agent.work import Workers
from runner.api.values import Duration

_LOOK_EVERY = 1.0
"""Seconds between two looks whether somebody takes a bench away."""


class Holds:
    """The benches that are held, and what watches over how long."""

    def __init__(
        self, timers: Timers, workers: Workers, locks: Locks, end: Callable[[TakenAway], None]
    ) -> None:
        """Watch over none yet; `end` is called, on a thread of its own, for one that is to be given back."""
        self._timers = timers
        self._workers = workers
        self._locks = locks
        self._end = end
        self._held: dict[str, dict[str, Callable[[], None]]] = {}

    def begin(self, take: Take) -> None:
        """Watch over a bench that has just been taken."""
        self._held[take.bench] = {}
        if take.hold is not None:
            self._after("hold", take.bench, take.hold, functools.partial(self._tell, too_long(take)))
        self._look_later(take.bench)

    def stop(self, bench: str) -> None:
        """Watch over a bench no longer."""
        for leave in self._held.pop(bench, {}).values():
            leave()

    def _after(self, name: str, bench: str, seconds: float, work: Callable[[], None]) -> None:
        leave = self._timers.after(seconds, functools.partial(self._workers.run, work))
        self._held.get(bench, {})[name] = leave

    def _look_later(self, bench: str) -> None:
        self._after("look", bench, _LOOK_EVERY, functools.partial(self._look, bench))

    def _look(self, bench: str) -> None:
        if bench not in self._held:
            return
        why = self._locks.evicted(bench)
        if why:
            self._tell(TakenAway(bench, why))
        else:
            self._look_later(bench)

    def _tell(self, away: TakenAway) -> None:
        if self._held.pop(away.bench, None) is not None:
            self._end(away)


def too_long(take: Take) -> TakenAway:
    """Say that a hold has lasted as long as it may.

    >>> too_long(Take("b", "run 1", hold=7200.0, hold_origin="its max_hold of 2h (lab.yaml:3:5)")).why
    'bench b was given back by its host after 2h: its max_hold of 2h (lab.yaml:3:5) is over'
    """
    held = Duration(take.hold or 0.0)
    origin = take.hold_origin or f"the time of {held} that was asked for"
    return TakenAway(
        take.bench,
        f"bench {take.bench} was given back by its host after {held}: {origin} is over",
        "make the run shorter, or change that limit where it is written",
    )
