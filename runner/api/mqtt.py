"""MQTT as an instrument: what a broker's driver offers, and the record that it keeps."""

from __future__ import annotations

import abc
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from runner.api.interfaces import Interface
from runner.api.values import ByteString, Duration
from runner.api.verdicts import LabError

if TYPE_CHECKING:
    from runner.api.context import Context


@dataclass(frozen=True)
class MqttMessage:
    """A message as a broker delivered it."""

    topic: str
    payload: ByteString
    retained: bool = False
    """The broker had kept it, and sent it because somebody subscribed: it may be of long ago."""
    qos: int = 0
    time: float = 0.0
    """When it was heard, in seconds of the host's monotonic clock."""
    number: int = 0
    """Its place in the record of this run, from 1."""

    @property
    def text(self) -> str:
        """The payload as text; what is no UTF-8 is replaced."""
        return self.payload.decode(errors="replace")


Wanted = Callable[[MqttMessage], bool]


class MqttBroker(Interface):
    """An MQTT broker whose messages are recorded from the first use on."""

    last_published: int = 0
    """The newest message there was before the latest one of a recipe; set by who publishes it."""

    @abc.abstractmethod
    def connect(self) -> None:
        """Begin to record; when it is connected, do nothing."""

    @abc.abstractmethod
    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool, timeout: Duration) -> int:
        """Publish, and wait for the broker's word (with `qos` 0 there is none: until it is sent).

        Return the number of the newest message that was recorded before.
        """

    @abc.abstractmethod
    def listen(self, topics: Iterable[str], timeout: Duration) -> None:
        """Record what comes on these topics (with ``+`` and ``#``), and what the broker has kept of them.

        Returns when the broker has agreed; a topic that is subscribed already is asked for anew, so
        that what is kept comes again.
        """

    @abc.abstractmethod
    def hears(self, topic: str) -> bool:
        """Tell whether everything that a topic (with ``+`` and ``#``) can mean is recorded already."""

    @abc.abstractmethod
    def latest(self) -> int:
        """Return the number of the newest message in the record, 0 when there is none."""

    @abc.abstractmethod
    def next(self, after: int, timeout: float, context: Context) -> MqttMessage | None:
        """Wait for the first message numbered above `after`; None when the time is over.

        Raise LabError when messages after `after` have been lost.
        """

    @abc.abstractmethod
    def check_whole(self, after: int) -> None:
        """Raise LabError when messages numbered above `after` may be missing."""

    @abc.abstractmethod
    def where(self) -> str:
        """Return which broker it is, for messages."""


class MessageRecord:
    """Numbers messages from 1 and keeps the newest `capacity` of them; safe to use from many threads."""

    def __init__(self, broker: str, capacity: int = 4096) -> None:
        """Start empty; `broker` names it in errors."""
        self._broker = broker
        self._capacity = capacity
        self._messages: list[MqttMessage | None] = []
        self._newest = 0
        self._lost: tuple[int, str] | None = None
        self._waiting: list[Wanted] = []
        self._changed = threading.Condition()

    def add(self, message: MqttMessage) -> None:
        """Keep a message, with its number and the time."""
        with self._changed:
            self._keep(replace(message, number=self._newest + 1, time=time.monotonic()))

    def lose(self, why: str) -> None:
        """Say that messages may be missing here, and why; the gap takes a number."""
        with self._changed:
            self._keep(None)
            self._lost = (self._newest, why)

    def latest(self) -> int:
        """Return the number of the newest message, 0 when there is none."""
        with self._changed:
            return self._newest

    def check_whole(self, after: int) -> None:
        """Raise LabError when the connection was lost since the message numbered `after`."""
        with self._changed:
            self._check_gap(after)

    def last(self, topic: str) -> MqttMessage | None:
        """Return the newest message of one topic."""
        with self._changed:
            found = [message for message in self._messages if message and message.topic == topic]
        return max(found, key=lambda message: message.number, default=None)

    def next(
        self,
        after: int,
        timeout: float,
        context: Context | None = None,
        wanted: Wanted = lambda _message: True,
    ) -> MqttMessage | None:
        """Wait up to `timeout` seconds for the first message numbered above `after` that is wanted.

        Raise LabError when messages after `after` are lost, Cancelled when the step is stopped.
        """
        end = time.monotonic() + timeout
        release = context.on_cancel(self._wake) if context else _nothing
        try:
            with self._changed:
                while True:
                    if context:
                        context.check_cancelled()
                    if (message := self._find(after, wanted)) is not None:
                        return message
                    after = max(after, self._newest)
                    left = end - time.monotonic()
                    if left <= 0:
                        return None
                    self._wait(left, wanted)
        finally:
            release()

    def _wait(self, left: float, wanted: Wanted) -> None:
        """Wait for a message that is wanted: to be woken by others costs as much as all the rest."""
        self._waiting.append(wanted)
        try:
            self._changed.wait(left)
        finally:
            self._waiting.remove(wanted)

    def _keep(self, message: MqttMessage | None) -> None:
        self._newest += 1
        if len(self._messages) < self._capacity:
            self._messages.append(message)
        else:
            self._messages[(self._newest - 1) % self._capacity] = message
        if message is None or any(wanted(message) for wanted in self._waiting):
            self._changed.notify_all()

    def _find(self, after: int, wanted: Wanted) -> MqttMessage | None:
        oldest = max(1, self._newest - self._capacity + 1)
        if after + 1 < oldest:
            raise LabError(
                f"{self._broker}: {oldest - after - 1} messages after number {after} are lost",
                evidence={"after": after, "oldest": oldest, "capacity": self._capacity},
                hint="subscribe to fewer topics, or keep more messages with the driver's option 'record'",
            )
        for place in range(after, self._newest):
            message = self._messages[place % self._capacity]
            if message is not None and wanted(message):
                return message
        self._check_gap(after)
        return None

    def _check_gap(self, after: int) -> None:
        if self._lost is not None and after < self._lost[0]:
            raise LabError(
                f"{self._broker}: {self._lost[1]}, so that messages may have been missed",
                evidence={"after": after, "gap": self._lost[0]},
            )

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


def _nothing() -> None:
    """Take nothing back."""


def matches(topic: str, wanted: str) -> bool:
    """Tell whether a topic, or all that one with wildcards means, is what `wanted` asks for.

    MQTT 3.1.1, section 4.7: ``+`` is one level, ``#`` the rest; neither begins with a ``$`` topic.

    >>> matches("stat/plug1/POWER", "stat/+/POWER"), matches("stat/plug1", "stat/#")
    (True, True)
    >>> matches("$SYS/uptime", "#"), matches("stat/#", "stat/+"), matches("stat", "stat/#")
    (False, False, True)
    """
    given, asked = topic.split("/"), wanted.split("/")
    if given[0].startswith("$") and asked[0] in {"+", "#"}:
        return False
    for place, level in enumerate(asked):
        if level == "#":
            return True
        if place >= len(given) or given[place] == "#" or level not in {"+", given[place]}:
            return False
    return len(given) == len(asked)


def wrong_topic(topic: str, *, wildcards: bool) -> str:
    """Say what is wrong with a topic (MQTT 3.1.1, section 4.7); empty when nothing is.

    >>> wrong_topic("stat/#", wildcards=True), wrong_topic("", wildcards=True)
    ('', 'a topic has at least one character')
    """
    levels = topic.split("/")
    if not topic:
        return "a topic has at least one character"
    if "\0" in topic or len(topic.encode()) > 65535:
        return "a topic has no null character and at most 65535 bytes"
    if not wildcards:
        return f"{topic!r}: + and # are for listening" if set("+#") & set(topic) else ""
    if "#" in "/".join(levels[:-1]) or any(len(level) > 1 and set("+#") & set(level) for level in levels):
        return f"{topic!r}: + stands for a whole level, # for the last ones"
    return ""
