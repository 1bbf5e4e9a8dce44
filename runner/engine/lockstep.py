"""Keeps benches in step: none begins a step before all others are that far."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence

from runner.engine.cancel import Cancellation
from runner.model import Play, Step

_SETUP = -1


class Lockstep:
    """The place of every bench in the play, as (case, step), and the waiting for the slowest.

    A bench whose case ends early goes on to the next case and waits there; one that is
    lost leaves and is not waited for.
    """

    def __init__(self, play: Play, benches: Iterable[str], cancel: Cancellation) -> None:
        """Put every bench before the first step."""
        self._order = {step.id: number for number, step in enumerate(_in_order(play))}
        self._places: dict[str, tuple[int, int]] = dict.fromkeys(benches, (_SETUP, -1))
        self._moved = threading.Condition()
        self._cancel = cancel
        cancel.watch(lambda _cause: self._wake())

    def enter(self, bench: str, case: int) -> None:
        """Say that a bench goes on to a case; the play's own steps count as before and after them."""
        self._move(bench, (case, -1))

    def arrive(self, bench: str, step: Step) -> None:
        """Wait until every bench has come as far as this step, or left."""
        case, number = self._places[bench]
        place = (case, max(number, self._order.get(step.id, number)))
        self._move(bench, place)
        with self._moved:
            self._moved.wait_for(
                lambda: self._cancel.cause is not None or all(each >= place for each in self._places.values())
            )

    def leave(self, bench: str) -> None:
        """Say that a bench is not to be waited for any more."""
        with self._moved:
            self._places.pop(bench, None)
            self._moved.notify_all()

    def _move(self, bench: str, place: tuple[int, int]) -> None:
        with self._moved:
            self._places[bench] = place
            self._moved.notify_all()

    def _wake(self) -> None:
        with self._moved:
            self._moved.notify_all()


def _in_order(play: Play) -> Iterator[Step]:
    yield from play.setup
    for test in play.tests:
        parts: Sequence[Sequence[Step]] = (test.setup, test.steps, test.teardown)
        for part in parts:
            yield from part
    yield from play.teardown
