"""Alarms of consoles, and the steps that they fail: those that run, else the next one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from runner.agent.calls import Alarm
from runner.api.verdicts import Failed
from runner.engine.cancel import Cancellation
from runner.engine.consoles import log_path

DECIDED_WITHIN = 7.0
"""Seconds that a host may take to decide whether what its watch has seen counts; then it does."""

Key = tuple[str, str, int]


class Watched:
    """One step while it runs: `alarms` has those that fail it, and `cancel` is told of the first.

    Clean-up is not cancelled: it is failed when it is done.
    """

    def __init__(
        self, bench: str, cancel: Cancellation, before: tuple[Alarm, ...], *, clean_up: bool
    ) -> None:
        """Watch a step of a bench; `before`: alarms that no step has been failed by."""
        self.bench = bench
        self.cancel = cancel
        self.alarms = list(before)
        self.before = bool(before)
        """Whether it was too late for the step before this one."""
        self._clean_up = clean_up

    def stop(self, alarm: Alarm) -> None:
        """End the step, unless it is clean-up."""
        if not self._clean_up:
            self.cancel.cancel(sentence(alarm))


class Alarms:
    """What the watches of all consoles have told. Alarms come from threads of connections."""

    def __init__(self, decided_within: float = DECIDED_WITHIN) -> None:
        """Know of none."""
        self._decided_within = decided_within
        self._changed = threading.Condition()
        self._open: dict[Key, tuple[Alarm, float]] = {}
        self._waiting: dict[str, list[Alarm]] = {}
        self._steps: list[Watched] = []

    def hear(self, alarm: Alarm) -> None:
        """Take what a watch says."""
        key = (alarm.bench, alarm.device, alarm.number)
        with self._changed:
            if alarm.state == "seen":
                self._open[key] = (alarm, time.monotonic() + self._decided_within)
                return
            self._open.pop(key, None)
            steps = [step for step in self._steps if step.bench == alarm.bench]
            if alarm.state == "sure":
                self._count(alarm, steps)
            self._changed.notify_all()
        if alarm.state == "sure":
            for step in steps:
                step.stop(alarm)

    @contextmanager
    def over(self, bench: str, cancel: Cancellation, *, clean_up: bool = False) -> Iterator[Watched]:
        """Watch a step of a bench while it runs, under a token of its own.

        A sure alarm cancels it; one that came before it, when no step was running, at once.
        """
        own = Cancellation(cancel)
        with self._changed:
            before = tuple(self._waiting.pop(bench, ()))
            step = Watched(bench, own, before, clean_up=clean_up)
            self._steps.append(step)
        try:
            for alarm in before[:1]:
                step.stop(alarm)
            yield step
        finally:
            with self._changed:
                self._steps.remove(step)
            own.close()

    def settle(self, step: Watched, outer: Cancellation) -> Alarm | None:
        """Wait until it is decided whether what was seen counts; return the alarm that fails the step."""
        if not self._open and not step.alarms:
            return None
        leave = outer.watch(lambda _cause: self._wake())
        try:
            with self._changed:
                while outer.cause is None and (left := self._undecided(step.bench)) is not None:
                    self._changed.wait(left)
                return step.alarms[0] if step.alarms else None
        finally:
            leave()

    def left_over(self, bench: str) -> list[Alarm]:
        """Return the alarms of a bench that no step was failed by, and forget them."""
        with self._changed:
            late = [key for key in self._open if key[0] == bench]
            found = [self._open.pop(key)[0] for key in late]
            return [*self._waiting.pop(bench, ()), *found]

    def _undecided(self, bench: str) -> float | None:
        """Return how long to wait for what has been seen; None when all is decided, or long overdue."""
        now = time.monotonic()
        for key, (alarm, until) in tuple(self._open.items()):
            if key[0] == bench and until <= now:
                del self._open[key]
                self._count(alarm, [step for step in self._steps if step.bench == bench])
        times = [until for key, (_, until) in self._open.items() if key[0] == bench]
        return max(min(times) - now, 0.0) if times else None

    def _count(self, alarm: Alarm, steps: list[Watched]) -> None:
        for step in steps:
            step.alarms.append(alarm)
        if not steps:
            self._waiting.setdefault(alarm.bench, []).append(alarm)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


def sentence(alarm: Alarm) -> str:
    """Say what was seen, and where it is in the log.

    >>> sentence(Alarm("b", "board.console", 1, "sure", title="kernel panic", line="Oh", log_line=8))
    "console 'board.console': kernel panic: 'Oh' (line 8 of its log)"
    """
    place = f"line {alarm.log_line}" if alarm.log_line else f"byte {alarm.offset}"
    return f"console {alarm.device!r}: {alarm.title}: {alarm.line!r} ({place} of its log)"


def failure(alarm: Alarm, *, before: bool, otherwise: str = "") -> Failed:
    """Make the verdict of a step; `before`: it was seen before the step; `otherwise`: its own problem."""
    evidence: dict[str, object] = {
        "watcher": alarm.name,
        "log": f"{log_path(alarm.bench, alarm.device)}:{alarm.log_line or ''}",
        "offset": alarm.offset,
    }
    if alarm.others:
        evidence["then"] = list(alarm.others)
    if otherwise:
        evidence["step"] = otherwise
    evidence["tail"] = alarm.tail
    return Failed(
        sentence(alarm) + (", before this step began" if before else ""),
        evidence=evidence,
        hint=_hint(alarm.name),
    )


def _hint(name: str) -> str:
    if name == "reset":
        return "was it asked for? then write expect_reset: before the step that restarts the board"
    return f"where it is harmless, the play may allow it: watch: {{allow: [{name}]}}"
