"""Tells the listeners what happens, in one order, with secrets hidden."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterable, Iterator, Mapping
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
        self._kept: dict[tuple[str, str], ConsoleBytes] = {}

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
        """Pass console bytes to every listener; what may be the beginning of a secret waits for the rest."""
        with self._lock:
            for shown in self._shown(chunk) if self._masker else (chunk,):
                for listener in self._listeners:
                    listener.console(shown)

    def _shown(self, chunk: ConsoleBytes) -> Iterator[ConsoleBytes]:
        """Return what of a chunk, and of those before it, can be shown now."""
        console = (chunk.bench, chunk.device)
        kept = self._kept.pop(console, None)
        if kept is not None and (chunk.gap or kept.index + len(kept.data) != chunk.index):
            yield kept
            kept = None
        whole = self._masker.mask_bytes((kept.data if kept else b"") + chunk.data)
        first = kept.index if kept else chunk.index
        at = len(whole) - self._masker.unfinished(whole)
        if whole[at:]:
            self._kept[console] = dataclasses.replace(chunk, index=first + at, data=whole[at:], gap="")
        if whole[:at] or chunk.gap:
            yield dataclasses.replace(chunk, index=first, data=whole[:at])

    def close(self) -> None:
        """Finish every report, also when one of them fails."""
        for kept in self._kept.values():
            for listener in self._listeners:
                listener.console(kept)
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
