"""Messages to and from a control unit, whatever carries them: ISO-TP on CAN, DoIP on Ethernet."""

from __future__ import annotations

import abc
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.api.interfaces import Interface
from runner.api.values import ByteString, Duration
from runner.api.verdicts import LabError

if TYPE_CHECKING:
    from runner.api.context import Context

_LOOK = 0.02
"""Seconds between two looks at whether a message that has begun is still coming."""


@dataclass(frozen=True)
class Message:
    """A whole message, however many frames it took."""

    data: ByteString
    time: float = 0.0
    """When it was complete, in seconds of the host's monotonic clock."""
    sent: bool = False
    """True for one of our own."""
    number: int = 0
    """Its place in the record of this run, from 1."""


class DiagnosticLink(Interface):
    """A way to a control unit that is listened to all the time (the transport of ISO 14229-2)."""

    last_sent: int = 0
    """The number of the latest message that a recipe has sent; set by who sends it."""

    @abc.abstractmethod
    def send(
        self,
        data: bytes,
        timeout: Duration,
        context: Context,
        *,
        functional: bool | None = None,
        wait: bool | None = None,
    ) -> int:
        """Send a message and return its place in the record.

        `functional`: to every control unit, not to one; None for what the device says. `wait`:
        return when it is sent; None for what the device says. Raise TimedOut or Failed when the
        control unit does not take it, LabError when the medium does not.
        """

    @abc.abstractmethod
    def latest(self) -> int:
        """Return the number of the newest message in the record, 0 when there is none."""

    @abc.abstractmethod
    def next(self, after: int, timeout: float, context: Context) -> Message | None:
        """Wait for the first received message numbered above `after`; None when the time is over.

        One that has begun to come when the time is over is waited for to its end (ISO 14229-2,
        7.2: a response is in time when it begins in time).
        """


class MessageRecord:
    """Numbers messages from 1 and keeps the newest `capacity` of them; safe to use from many threads."""

    def __init__(self, link: str, capacity: int = 4096) -> None:
        """Start empty; `link` names where they come from in errors."""
        self._link = link
        self._messages: list[Message] = []
        self._capacity = capacity
        self._newest = 0
        self._broken: LabError | None = None
        self._changed = threading.Condition()

    def add(self, data: bytes, *, sent: bool = False) -> int:
        """Keep a message; return its number."""
        with self._changed:
            self._newest += 1
            self._messages.append(Message(ByteString(data), time.monotonic(), sent, self._newest))
            del self._messages[: -self._capacity]
            self._changed.notify_all()
            return self._newest

    def fail(self, error: LabError) -> None:
        """Say that nothing will be received any more, and why."""
        with self._changed:
            self._broken = error
            self._changed.notify_all()

    def mend(self) -> None:
        """Say that messages are received again."""
        with self._changed:
            self._broken = None

    def latest(self) -> int:
        """Return the number of the newest message, 0 when there is none."""
        with self._changed:
            return self._newest

    def next(
        self, after: int, timeout: float, context: Context, is_coming: Callable[[], bool] = lambda: False
    ) -> Message | None:
        """Wait up to `timeout` seconds for the first received message numbered above `after`.

        While `is_coming` says that one has begun, wait longer. Raise LabError when messages
        after `after` are lost or nothing can come any more, Cancelled when the step is stopped.
        """
        end = time.monotonic() + timeout
        release = context.on_cancel(self._wake)
        try:
            with self._changed:
                while True:
                    context.check_cancelled()
                    found = self._find(after)
                    if found is not None:
                        return found
                    if self._broken is not None:
                        raise self._broken
                    left = end - time.monotonic()
                    if left <= 0 and not is_coming():
                        return None
                    self._changed.wait(left if left > 0 else _LOOK)
        finally:
            release()

    def _find(self, after: int) -> Message | None:
        oldest = self._newest - len(self._messages) + 1
        if after + 1 < oldest:
            raise LabError(
                f"{self._link}: {oldest - after - 1} messages after number {after} are lost from the record",
                evidence={"after": after, "oldest": oldest, "capacity": self._capacity},
                hint="read messages sooner",
            )
        later = self._messages[max(0, after + 1 - oldest) :]
        return next((each for each in later if not each.sent), None)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
