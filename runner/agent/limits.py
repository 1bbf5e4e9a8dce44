"""Limits in time: they ask a call to stop."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

from runner.agent.calls import Put, Run
from runner.agent.stop import Stop
from runner.agent.timers import Timers
from runner.agent.work import Workers
from runner.api.values import Duration


class Limits:
    """The limits in time of one Run; they ask it to stop."""

    def __init__(self, request: Run | Put, stop: Stop, timers: Timers, workers: Workers) -> None:
        """Start the clock."""
        self._request = request
        self._stop = stop
        self._timers = timers
        self._workers = workers
        self._last_byte: Callable[[], float] = lambda: -1.0
        self._began = time.monotonic()
        self._over = False
        self._leave_hard = timers.after(request.limit, lambda: self._fire(time_is_over(request)))
        self._leave_idle: Callable[[], None] | None = None

    def watch_silence(self, last_byte: Callable[[], float]) -> None:
        """Begin to count the time without a console byte; `last_byte` says when the last one came."""
        self._last_byte = last_byte
        self._began = time.monotonic()
        self._check_silence()

    def end(self) -> None:
        """Stop the clock."""
        self._over = True
        self._leave_hard()
        if self._leave_idle is not None:
            self._leave_idle()

    def _check_silence(self) -> None:
        idle = getattr(self._request, "idle", None) or 0.0
        left = max(self._began, self._last_byte()) + idle - time.monotonic()
        if self._over:
            return
        if left <= 0:
            self._fire(f"no console byte for {Duration(idle)}: the step's idle_timeout")
        else:
            self._leave_idle = self._timers.after(left, self._check_silence)

    def _fire(self, cause: str) -> None:
        """Ask to stop on another thread: those who are woken may take their time."""
        self._workers.run(functools.partial(self._stop.tell, cause, timed_out=True))


def time_is_over(request: Run | Put) -> str:
    """Return the cause of a call that its hard limit ends.

    >>> time_is_over(Run("b", "x:Y", {}, {}, limit=2.0, limit_origin="the step's timeout of 2s"))
    "time is over: the step's timeout of 2s"
    """
    return f"time is over: {request.limit_origin or f'the limit of {Duration(request.limit)}'}"
