"""Tells the listeners what happens, in one order, with secrets hidden."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from runner.agent.calls import ConsoleBytes
from runner.engine.cancel import Clock, RealClock
from runner.masking import Masker
from runner.result import Event


class Listener(Protocol):
    """Something that makes a report of what it hears; called by one thread at a time."""

    def hear(self, event: Event) -> None:
        """Take note of an event."""

    def console(self, chunk: ConsoleBytes) -> None:
        """Take note of what a console received."""

    def close(self) -> None:
        """Finish the report; called once."""


class Journal:
    """The single source of every report.

    The lock is held while the listeners write, so an event is on disk before the step
    that told it goes on; a queue and a thread of its own would cost more than the writing.
    """

    def __init__(self, listeners: Iterable[Listener], masker: Masker, clock: Clock | None = None) -> None:
        """Start the clock of the run."""
        self._listeners = tuple(listeners)
        self._masker = masker
        self._lock = threading.Lock()
        self._clock = clock or RealClock()
        self._began = self._clock.now()

    @property
    def now(self) -> float:
        """Return the seconds since the run began."""
        return round(self._clock.now() - self._began, 6)

    def tell(self, event: Event) -> None:
        """Pass an event to every listener."""
        shown = _masked(event, self._masker) if self._masker else event
        with self._lock:
            for listener in self._listeners:
                listener.hear(shown)

    def console(self, chunk: ConsoleBytes) -> None:
        """Pass console bytes to every listener."""
        if self._masker:
            chunk = dataclasses.replace(chunk, data=self._masker.mask_bytes(chunk.data))
        with self._lock:
            for listener in self._listeners:
                listener.console(chunk)

    def close(self) -> None:
        """Finish every report, also when one of them fails."""
        problems: list[Exception] = []
        for listener in self._listeners:
            try:
                listener.close()
            except OSError as error:
                problems.append(error)
        if problems:
            raise problems[0]


def _masked(value: Any, masker: Masker) -> Any:
    if isinstance(value, str):
        return masker.mask(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed = {
            each.name: _masked(getattr(value, each.name), masker) for each in dataclasses.fields(value)
        }
        return dataclasses.replace(value, **changed)
    if isinstance(value, Mapping):
        return {_masked(key, masker): _masked(item, masker) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_masked(item, masker) for item in value)
    return value
