"""Which steps run right now, since when, and how far they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runner.api.values import Duration, Size
from runner.result import CaseFinished, Event, Progress, StepFinished, StepStarted

Key = tuple[str, str, str]


@dataclass(slots=True, kw_only=True)
class RunningStep:
    """A step that is not over; `first` and `last` of what it said about how far it is."""

    name: str
    bench: str
    depth: int
    began: float
    first: Progress | None = None
    last: Progress | None = None


class Running:
    """Keeps track of steps, by a clock in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Know of no step yet."""
        self._clock = clock
        self._steps: dict[Key, RunningStep] = {}

    def hear(self, event: Event) -> None:
        """Take note of steps that begin, advance and end."""
        match event:
            case StepStarted():
                self._steps[event.bench, event.case, event.step] = RunningStep(
                    name=event.name, bench=event.bench, depth=event.depth, began=self._clock()
                )
            case Progress():
                self._advance(event)
            case StepFinished():
                self._steps.pop((event.bench, event.case, event.step), None)
            case CaseFinished():
                self._end(event)
            case _:
                return

    def innermost(self) -> list[tuple[Key, RunningStep]]:
        """Return the running steps without the blocks that hold them."""
        steps = list(self._steps.items())
        deepest: dict[tuple[str, str], int] = {}
        for (bench, case, _), step in steps:
            deepest[bench, case] = max(deepest.get((bench, case), 0), step.depth)
        return [(key, step) for key, step in steps if step.depth == deepest[key[:2]] or step.last]

    def _advance(self, event: Progress) -> None:
        step = self._steps.get((event.bench, event.case, event.step))
        if step is not None:
            again = step.last is not None and event.done < step.last.done
            step.first = event if again else step.first or event
            step.last = event

    def _end(self, event: CaseFinished) -> None:
        for key in [key for key in self._steps if key[:2] == (event.bench, event.case)]:
            del self._steps[key]


def progress_text(first: Progress, last: Progress) -> str:
    """Say how much, how fast, and how much longer.

    >>> begun = Progress(t=1, step="", bench="", case="", done=0, total=100e6)
    >>> progress_text(begun, Progress(t=6, step="", bench="", case="", done=50e6, total=100e6))
    '47.68 MiB of 95.37 MiB, 9.537 MiB/s, 5s left'
    """
    in_bytes = last.unit == "B"
    said = f"{_amount(last.done)}" if in_bytes else f"{last.done:g}"
    if last.total:
        said += f" of {_amount(last.total) if in_bytes else f'{last.total:g}'}"
    if not in_bytes:
        said += f" {last.unit}".rstrip()
    speed = (last.done - first.done) / (last.t - first.t) if last.t > first.t else 0.0
    if speed <= 0:
        return said
    said += f", {_amount(speed)}/s" if in_bytes else f", {speed:.3g}/s"
    if last.total and last.total > last.done:
        said += f", {Duration(round((last.total - last.done) / speed))} left"
    return said


def _amount(value: float) -> Size:
    return Size(max(0, int(value)))
