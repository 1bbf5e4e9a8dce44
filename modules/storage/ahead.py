"""Work on blocks of an image that goes on while others are written: reading ahead, and checksums."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Generator, Iterator
from queue import Queue
from typing import Generic, TypeVar

from runner.api import Context

_AHEAD = 3
"""Blocks of 4 MiB that wait for the next stage."""

_Item = TypeVar("_Item")


class Ahead(Generic[_Item]):
    """Makes what an iterator makes, on a thread of its own and some items ahead; close it in the end."""

    def __init__(self, items: Generator[_Item, None, None], context: Context) -> None:
        """Begin at once."""
        self._items = items
        self._context = context
        self._changed = threading.Condition()
        self._ready: deque[_Item] = deque()
        self._over = self._closed = False
        self._error: BaseException | None = None
        threading.Thread(target=self._make, name="image", daemon=True).start()

    def __iter__(self) -> Iterator[_Item]:
        """Return the items in their order; raise what making them raised, or that the step was cancelled."""
        leave = self._context.on_cancel(self._wake)
        try:
            while self._wait():
                self._context.check_cancelled()
                with self._changed:
                    item = self._ready.popleft()
                    self._changed.notify_all()
                yield item
        finally:
            leave()

    def close(self) -> None:
        """Make no more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wait(self) -> bool:
        """Wait until there is an item; False when there are no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._over or self._context.cancelled)
            if self._ready:
                return True
        if not self._over:
            self._context.check_cancelled()
        if self._error is not None:
            raise self._error
        return False

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _make(self) -> None:
        try:
            for item in self._items:
                if not self._put(item):
                    break
        except BaseException as error:  # noqa: BLE001 - raised in the thread that wants the items
            self._error = error
        finally:
            self._items.close()
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _put(self, item: _Item) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: len(self._ready) < _AHEAD or self._closed)
            self._ready.append(item)
            self._changed.notify_all()
            return not self._closed


class Digest:
    """The SHA-256 of blocks, computed behind the back of whoever adds them, within a ``with``."""

    hexdigest = ""
    """The checksum of everything as hexadecimal digits, once the ``with`` is over."""

    def __enter__(self) -> Digest:
        """Have seen nothing."""
        self._digest = hashlib.sha256()
        self._blocks: Queue[bytes | None] = Queue(_AHEAD)
        self._thread = threading.Thread(target=self._run, name="checksum", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Wait until all of them are in it."""
        self._blocks.put(None)
        self._thread.join()
        self.hexdigest = self._digest.hexdigest()

    def add(self, block: bytes) -> None:
        """Take the next block; wait while too many are waiting."""
        self._blocks.put(block)

    def _run(self) -> None:
        while (block := self._blocks.get()) is not None:
            self._digest.update(block)


class NoDigest(Digest):
    """A checksum that nobody needs."""

    def __enter__(self) -> NoDigest:
        """Do nothing."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing."""

    def add(self, block: bytes) -> None:
        """Do nothing."""
