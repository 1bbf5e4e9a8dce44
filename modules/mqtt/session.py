"""A broker's messages, recorded over as many connections as it takes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import NamedTuple

from runner.api import LabError
from runner.api.mqtt import MessageRecord, matches
from runner.modules.mqtt.broker import Broker
from runner.modules.mqtt.link import Limit, Link


class Sent(NamedTuple):
    """A message on its way."""

    before: int
    """The newest message that was recorded before."""
    acknowledged: Callable[[], None]
    """Raises LabError unless the broker has acknowledged it by the limit that it was sent with."""


class Session:
    """Connects at its first use, and at the first use after a connection was lost.

    After a failure the connection is given up: what the broker has not acknowledged by then is
    never sent again. Safe to use from many threads.
    """

    def __init__(self, broker: Broker, topics: Iterable[str] = (), capacity: int = 4096) -> None:
        """Know the broker and what is to be heard from it; nothing is opened yet."""
        self._broker = broker
        self._topics = dict.fromkeys(topics)
        self._link: Link | None = None
        self._one = threading.Lock()
        self.record = MessageRecord(broker.where, capacity)

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool, limit: Limit) -> int:
        """Publish; return the number of the newest message that was recorded before."""
        with self._one:
            link = self._linked(limit)
            before = self.record.latest()
            with _GivingUp(self):
                link.publish(topic, payload, qos=qos, retain=retain, limit=limit)
            return before

    def send(self, topic: str, payload: bytes, limit: Limit) -> Sent:
        """Publish with quality of service 1, for a receiver whose answer says more than the broker's."""
        with self._one:
            link = self._linked(limit)
            before = self.record.latest()
            with _GivingUp(self):
                number = link.send(topic, payload, qos=1, retain=False, limit=limit)
            return Sent(before, lambda: self._acknowledged(link, number, topic, limit))

    def listen(self, topics: Iterable[str], limit: Limit) -> None:
        """Subscribe, now and whenever we connect; what is kept of the topics comes (again)."""
        with self._one:
            wanted = list(topics)
            link = self._linked(limit)
            with _GivingUp(self):
                link.subscribe(wanted, limit)
            self._topics.update(dict.fromkeys(wanted))

    def connect(self, limit: Limit) -> None:
        """Connect, unless we are; raise LabError when that fails."""
        with self._one:
            self._linked(limit)

    def hears(self, topic: str) -> bool:
        """Tell whether everything that a topic can mean is subscribed."""
        return any(matches(topic, each) for each in self._topics)

    def close(self) -> None:
        """End the connection, if there is one."""
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _acknowledged(self, link: Link, number: int, topic: str, limit: Limit) -> None:
        with self._one, _GivingUp(self):
            link.acknowledged(number, topic, limit)

    def _linked(self, limit: Limit) -> Link:
        if self._link is not None and self._link.alive:
            return self._link
        self.close()
        link = self._link = Link(self._broker, self.record.add, self.record.lose)
        with _GivingUp(self):
            link.connect(limit)
            if self._topics:
                link.subscribe(list(self._topics), limit)
        return link


class _GivingUp:
    """Closes the connection when something in it goes wrong."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and issubclass(kind, LabError):
            self._session.close()
