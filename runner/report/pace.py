"""Work that is asked for often and done now and then."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Protocol

_SHARE = 0.1
"""The part of the time that the work may take."""


class Timer(Protocol):
    """What waits for a while and then calls: `threading.Timer`."""

    def start(self) -> None:
        """Begin to wait."""

    def cancel(self) -> None:
        """Do not call any more."""


def thread_timer(seconds: float, call: Callable[[], None]) -> Timer:
    """Return a timer on a thread of its own, which ends with the program."""
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.name = "report"
    return timer


class Pace:
    """Does work at once, unless it was done less than `pause` seconds ago: then when they are over.

    The pause grows with the work, which is never more than a tenth of the time. The work
    is done by one thread at a time, with `lock` held. After an endless pause only `catch_up` does it.
    """

    def __init__(
        self,
        work: Callable[[], None],
        *,
        pause: float,
        clock: Callable[[], float] = time.monotonic,
        timer: Callable[[float, Callable[[], None]], Timer] = thread_timer,
    ) -> None:
        """Have nothing to do yet."""
        self.lock = threading.RLock()
        self._work = work
        self._pause = pause
        self._clock = clock
        self._timer = timer
        self._due = clock()
        self._wanted = False
        self._waiting: Timer | None = None

    def want(self) -> None:
        """Ask for the work."""
        with self.lock:
            self._wanted = True
            left = self._due - self._clock()
            if left <= 0:
                self._do()
            elif self._waiting is None and math.isfinite(left):
                self._waiting = self._timer(left, self.catch_up)
                self._waiting.start()

    def catch_up(self) -> None:
        """Do what was asked for and not done yet."""
        with self.lock:
            if self._wanted:
                self._do()

    def _do(self) -> None:
        self._wanted = False
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        began = self._clock()
        self._work()
        ended = self._clock()
        if self._pause:
            self._due = ended + max(self._pause, (ended - began) / _SHARE)
