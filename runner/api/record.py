"""What comes by itself, kept in order so that whoever looks later misses nothing."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from runner.api.verdicts import LabError

if TYPE_CHECKING:
    from runner.api.context import Context

_Item = TypeVar("_Item")


class Record(Generic[_Item]):
    """Numbers items from 1 and keeps the newest `capacity` of them; safe to use from many threads."""

    def __init__(self, capacity: int = 4096, source: str = "the record") -> None:
        """Start empty; `source` names where they come from in errors."""
        self._source = source
        self._items: deque[_Item] = deque(maxlen=capacity)
        self._newest = 0
        self._ended = ""
        self._changed = threading.Condition()

    def add(self, item: _Item) -> int:
        """Keep an item; return its number."""
        with self._changed:
            self._items.append(item)
            self._newest += 1
            self._changed.notify_all()
            return self._newest

    def end(self, why: str) -> None:
        """Say that nothing more will come, and why."""
        with self._changed:
            self._ended = why
            self._changed.notify_all()

    def latest(self) -> int:
        """Return the number of the newest item, 0 when there is none."""
        with self._changed:
            return self._newest

    def next(
        self,
        after: int,
        timeout: float,
        context: Context,
        wanted: Callable[[_Item], bool] = lambda _item: True,
    ) -> tuple[int, _Item] | None:
        """Wait for the first item above number `after` that is wanted; None when the time is over.

        Raise LabError when items after `after` are no longer kept, or nothing more will come,
        Cancelled when the step is stopped.
        """
        until = time.monotonic() + timeout
        release = context.on_cancel(self._wake)
        try:
            with self._changed:
                while True:
                    context.check_cancelled()
                    found = self._find(after, wanted)
                    if found is not None:
                        return found
                    if self._ended:
                        raise LabError(f"{self._source}: {self._ended}")
                    after = max(after, self._newest)
                    left = until - time.monotonic()
                    if left <= 0:
                        return None
                    self._changed.wait(left)
        finally:
            release()

    def after(self, number: int) -> list[_Item]:
        """Return what is kept of the items above a number."""
        with self._changed:
            first = self._newest - len(self._items) + 1
            return list(self._items)[max(0, number + 1 - first) :]

    def _find(self, after: int, wanted: Callable[[_Item], bool]) -> tuple[int, _Item] | None:
        first = self._newest - len(self._items) + 1
        if after + 1 < first:
            raise LabError(
                f"{self._source}: {first - after - 1} of what came are no longer kept",
                evidence={"after": after, "oldest": first},
                hint="look sooner, or keep more with the driver's option 'record'",
            )
        for number in range(after + 1, self._newest + 1):
            item = self._items[number - first]
            if wanted(item):
                return number, item
        return None

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
