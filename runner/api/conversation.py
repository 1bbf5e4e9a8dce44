"""What has been said on one connection: kept from its first byte on, so that nothing is missed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from runner.api.verdicts import LabError

if TYPE_CHECKING:
    from runner.api.context import Context
    from runner.api.network import Link

_Found = TypeVar("_Found")
_LISTEN = 60.0
"""Seconds that a reader waits at a time; closing the connection wakes it."""


class Conversation:
    """A connection that is read from all the time; the newest `capacity` bytes are kept."""

    def __init__(self, link: Link, name: str, capacity: int = 2**20) -> None:
        """Take an open connection; `name` names it in errors."""
        self.name = name
        self.asked_at = 0
        """How many bytes had been received when something was last sent."""
        self._link = link
        self._capacity = capacity
        self._kept = bytearray()
        self._received = 0
        self._ended: str | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._listen, name=f"network {name}", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> str | None:
        """Why nothing more will come; None while something may."""
        with self._changed:
            return self._ended

    def send(self, data: bytes) -> None:
        """Send all of `data`; what arrives from now on is the answer to it."""
        with self._changed:
            self.asked_at = self._received
        self._link.write(data)

    def find(
        self, search: Callable[[bytes], _Found | None], since: int, within: float, context: Context
    ) -> _Found | None:
        """Look at what came after `since`, again whenever more comes; None at the end of time or connection.

        Raise LabError when bytes after `since` are no longer kept.
        """
        until = time.monotonic() + within
        release = context.on_cancel(self._wake)
        try:
            with self._changed:
                while (found := search(self._after(since))) is None:
                    context.check_cancelled()
                    left = until - time.monotonic()
                    if left <= 0 or self._ended is not None:
                        return None
                    self._changed.wait(left)
                return found
        finally:
            release()

    def after(self, since: int) -> bytes:
        """Return what was received after so many bytes."""
        with self._changed:
            return self._after(since)

    def close(self) -> None:
        """Close the connection; what was received can still be looked at."""
        self._link.hang_up()
        self._thread.join()
        self._link.close()

    def _after(self, since: int) -> bytes:
        oldest = self._received - len(self._kept)
        if since < oldest:
            raise LabError(
                f"{self.name}: {oldest - since} bytes of what was received are no longer kept",
                evidence={"kept": self._capacity, "received": self._received},
                hint="look at it sooner, with a 'net_expect' between",
            )
        return bytes(self._kept[since - oldest :])

    def _listen(self) -> None:
        why = "what reads from it has crashed"
        try:
            while (data := self._link.read(_LISTEN)) is not None:
                if data:
                    self._take(data)
            why = "it was closed by the other end"
        except LabError as error:
            why = error.message
        finally:
            with self._changed:
                self._ended = why
                self._changed.notify_all()

    def _take(self, data: bytes) -> None:
        with self._changed:
            self._received += len(data)
            self._kept += data
            del self._kept[: max(0, len(self._kept) - self._capacity)]
            self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
