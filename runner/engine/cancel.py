"""Stopping: a tree of tokens, in which a cancel reaches everything below it, and limits in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol


class Cancellation:
    """Something that can be told to stop, once, with a cause; children are told too."""

    def __init__(self, parent: Cancellation | None = None) -> None:
        """Start as a child of `parent`, or on its own."""
        self._lock = threading.Lock()
        self._cause: str | None = None
        self._wakers: list[Callable[[str], None]] = []
        self._leave = parent.watch(self.cancel) if parent is not None else None

    @property
    def cause(self) -> str | None:
        """Why to stop, or None to go on."""
        return self._cause

    def cancel(self, cause: str) -> None:
        """Tell everyone who watches, once; later causes are ignored."""
        with self._lock:
            if self._cause is not None:
                return
            self._cause = cause
            wakers, self._wakers = self._wakers, []
        for wake in wakers:
            wake(cause)

    def watch(self, wake: Callable[[str], None]) -> Callable[[], None]:
        """Call `wake(cause)` once when it happens, at once if it has; return what takes it back."""
        with self._lock:
            if self._cause is None:
                self._wakers.append(wake)
                return lambda: self._forget(wake)
        wake(self._cause)
        return _nothing

    def close(self) -> None:
        """Leave the parent; the parent's cancel does not reach here any more."""
        if self._leave is not None:
            self._leave()

    def wait(self, seconds: float) -> bool:
        """Wait until it is cancelled or the time is over; tell whether it is cancelled."""
        woken = threading.Event()
        leave = self.watch(lambda _cause: woken.set())
        try:
            return woken.wait(seconds)
        finally:
            leave()

    def _forget(self, wake: Callable[[str], None]) -> None:
        with self._lock:
            if wake in self._wakers:
                self._wakers.remove(wake)


def _nothing() -> None:
    return


class Clock(Protocol):
    """What time it is for a run, and how it passes: by itself, or as a recording goes on."""

    def now(self) -> float:
        """Return the monotonic time in seconds."""

    def wait(self, cancel: Cancellation, seconds: float) -> bool:
        """Wait until it is cancelled or the time is over; tell whether it is cancelled."""


@dataclass(frozen=True, slots=True)
class RealClock:
    """The time as it is."""

    def now(self) -> float:
        """Return the monotonic time in seconds."""
        return time.monotonic()

    def wait(self, cancel: Cancellation, seconds: float) -> bool:
        """Wait until it is cancelled or the time is over; tell whether it is cancelled."""
        return cancel.wait(seconds)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point in the time of a clock, and the words for the limit that sets it."""

    at: float
    origin: str
    clock: Clock = field(default_factory=RealClock, compare=False)

    @classmethod
    def after(cls, seconds: float, origin: str, clock: Clock | None = None) -> Deadline:
        """Make one that is `seconds` from now, of the real time unless a clock is given."""
        clock = clock or RealClock()
        return cls(clock.now() + seconds, origin, clock)

    @property
    def left(self) -> float:
        """Return the seconds until then, not below 0."""
        return max(0.0, self.at - self.clock.now())

    def nearer(self, other: Deadline | None) -> Deadline:
        """Return whichever comes first."""
        return self if other is None or self.at <= other.at else other
