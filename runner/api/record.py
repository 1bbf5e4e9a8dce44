"""A record of what happened to an instrument: bounded, numbered from 1, waited on."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from runner.api.context import Context

_Item = TypeVar("_Item")


class Record(Generic[_Item]):
    """Keeps the newest `capacity` items; safe to use from many threads."""

    def __init__(self, capacity: int = 4096) -> None:
        """Start empty."""
        self._items: deque[tuple[int, _Item]] = deque(maxlen=capacity)
        self._newest = 0
        self._changed = threading.Condition()

    def add(self, item: _Item) -> int:
        """Keep an item; return its number."""
        with self._changed:
            self._newest += 1
            self._items.append((self._newest, item))
            self._changed.notify_all()
            return self._newest

    def latest(self) -> int:
        """Return the number of the newest item, 0 when there is none."""
        with self._changed:
            return self._newest

    def next(self, after: int, timeout: float, context: Context) -> tuple[int, _Item] | None:
        """Wait up to `timeout` seconds for the first item numbered above `after`; None when the time is over.

        Raise Cancelled when the step is stopped.
        """
        end = time.monotonic() + timeout
        release = context.on_cancel(self._wake)
        try:
            with self._changed:
                while True:
                    context.check_cancelled()
                    found = next((each for each in self._items if each[0] > after), None)
                    left = end - time.monotonic()
                    if found is not None or left <= 0:
                        return found
                    self._changed.wait(left)
        finally:
            release()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
