"""Being told to stop, once, with a cause."""

from __future__ import annotations

import threading
from collections.abc import Callable

from runner.api.verdicts import Cancelled, TimedOut, Verdict


class Stop:
    """A call's reason to stop, and those who want to be woken by it."""

    def __init__(self) -> None:
        """Let the call go on."""
        self._lock = threading.Lock()
        self._wakers: list[Callable[[], None]] = []
        self.cause: str | None = None
        """Why to stop, or None to go on."""
        self.timed_out = False
        """True when a limit in time is the cause."""

    def tell(self, cause: str, *, timed_out: bool = False) -> bool:
        """Ask to stop; return False when somebody has asked already, whose cause stays."""
        with self._lock:
            if self.cause is not None:
                return False
            self.timed_out = timed_out
            self.cause = cause
            wakers, self._wakers = self._wakers, []
        for wake in wakers:
            wake()
        return True

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` once when asked to stop, at once if that has happened; return what takes it back."""
        with self._lock:
            if self.cause is None:
                self._wakers.append(wake)
                return lambda: self._forget(wake)
        wake()
        return _nothing

    def wait(self, seconds: float) -> bool:
        """Wait until asked to stop or the time is over; tell whether we are asked."""
        if self.cause is not None or seconds <= 0:
            return self.cause is not None
        woken = threading.Event()
        leave = self.watch(woken.set)
        try:
            return woken.wait(seconds)
        finally:
            leave()

    def verdict(self) -> Verdict:
        """Return how a call ends that was asked to stop."""
        cause = self.cause or "not asked to stop"
        return TimedOut(cause) if self.timed_out else Cancelled(cause)

    def _forget(self, wake: Callable[[], None]) -> None:
        with self._lock:
            if wake in self._wakers:
                self._wakers.remove(wake)


def _nothing() -> None:
    return
