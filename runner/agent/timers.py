"""One thread that watches the clock for all calls."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable


class Timers:
    """Calls back when a time has come. Setting a timer later than those before wakes no thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Set none; the thread starts with the first."""
        self._clock = clock
        self._changed = threading.Condition()
        self._set: dict[object, tuple[float, Callable[[], None]]] = {}
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None

    def after(self, seconds: float, ring: Callable[[], None]) -> Callable[[], None]:
        """Call `ring`, which must not wait, in so many seconds; return what takes it back."""
        key = object()
        at = self._clock() + seconds
        with self._changed:
            self._set[key] = (at, ring)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="timers", daemon=True)
                self._thread.start()
            elif at < self._wakes_at:
                self._changed.notify()
        return lambda: self._forget(key)

    def due(self, now: float) -> list[Callable[[], None]]:
        """Take out what is to ring by now."""
        late = [key for key, (at, _) in tuple(self._set.items()) if at <= now]
        found = (self._set.pop(key, None) for key in late)
        return [each[1] for each in found if each is not None]

    def _forget(self, key: object) -> None:
        self._set.pop(key, None)

    def _watch(self) -> None:
        while True:
            for ring in self.due(self._clock()):
                ring()
            with self._changed:
                self._wakes_at = min((at for at, _ in tuple(self._set.values())), default=math.inf)
                left = self._wakes_at - self._clock()
                self._changed.wait(min(max(left, 0.0), threading.TIMEOUT_MAX))
