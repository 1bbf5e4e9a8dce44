"""A plug or relay card with Tasmota's firmware, over MQTT (Tasmota documentation, "MQTT" and "Commands")."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from runner.api import (
    Driver,
    Duration,
    LabError,
    Misfit,
    MqttMessage,
    Needs,
    Power,
    PowerReading,
    PowerState,
    Unreachable,
    arg,
)
from runner.api.mqtt import Wanted, wrong_topic
from runner.modules.mqtt.broker import Broker
from runner.modules.mqtt.link import Limit
from runner.modules.mqtt.plug import Topics, plug_of, reading_in, state_in
from runner.modules.mqtt.session import Session

_WORDS = ("%prefix%", "%topic%")
_KEPT = 64
"""Messages that are kept: a command is followed by two or three."""


class Tasmota(Driver, Power):
    """A plug or relay card with Tasmota's firmware, over MQTT.

    It is switched when it has reported so, after the command and to us: a status that the broker
    had kept, or that came before, does not count. Not tried on hardware yet; tested against a real
    broker and an emulated plug.

    Example::

        devices:
          power: {driver: tasmota, broker: broker.lab, topic: plug1}
          lamp:
            driver: tasmota
            broker: {address: "mqtts://broker.lab", username: bench, password: !env MQTT_PASSWORD}
            topic: strip
            relay: 3
    """

    broker: Broker = arg(help="the MQTT broker: where it is, and how one is let in")
    topic: str | Topics = arg(
        help="the plug's topic, as in cmnd/TOPIC/POWER; or the topics of one that has others",
        examples=("tasmota_6990F2",),
    )
    full_topic: str = arg(
        default="%prefix%/%topic%/", help="how its topics are made, as its setting FullTopic says it"
    )
    relay: int | None = arg(
        default=None, help="which of its relays (POWER1 …); left out: the only one", minimum=1, maximum=32
    )
    limit: Duration = arg(
        default=Duration("10s"), help="how long connecting may take, and how long the plug to answer"
    )

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say what is no topic, and what is no layout of topics."""
        topic = given.get("topic")
        if isinstance(topic, str) and (wrong := wrong_topic(topic, wildcards=False)):
            yield Misfit("topic", wrong)
        if absent := [word for word in _WORDS if word not in given.get("full_topic", "".join(_WORDS))]:
            yield Misfit("full_topic", f"{given['full_topic']!r} has no {' and no '.join(absent)}")

    def needs(self) -> Needs:
        """Return where the broker is."""
        return Needs(nodes=(self.broker.node,))

    def open(self) -> None:
        """Get ready; the first use connects."""
        self._plug = plug_of(self.topic, self.full_topic, self.relay)
        self._session = Session(self.broker, self._plug.heard, _KEPT)

    def close(self) -> None:
        """End the connection; the plug stays as it is."""
        self._session.close()

    def on(self) -> None:
        """Switch it on, and wait until the plug reports it."""
        self._switch("on")

    def off(self) -> None:
        """Switch it off, and wait until the plug reports it."""
        self._switch("off")

    def state(self) -> PowerState:
        """Ask the plug for its state: a command without a value changes nothing."""
        return self._told(self._next(self._send(self._plug.command, ""), "report its state"))

    def read(self) -> PowerReading | None:
        """Ask for its sensors (``Status 10``); None when the plug has no energy meter."""
        asked = self._send(self._plug.sensors, "10")
        return reading_in(self._next(asked, "report its sensors", self._plug.tells), (self.relay or 1) - 1)

    def label(self) -> str:
        """Return which relay of which plug on which broker it is."""
        return f"{self._plug.command} on {self.broker.where}"

    def _switch(self, wanted: PowerState) -> None:
        asked = self._send(self._plug.command, wanted.upper())
        message = self._next(asked, f"report that it is {wanted}")
        while (said := self._told(message)) != wanted:
            asked = asked.after(message)
            later = self._heard(asked, self._plug.answers)
            if later is None:
                raise LabError(
                    f"the plug still reports {said}, {self.limit} after it was told {wanted}",
                    evidence={"expected": wanted, "actual": said, "topic": self._plug.command},
                    hint="does a rule or an interlock of its own switch it back?",
                )
            message = later

    def _told(self, message: MqttMessage) -> PowerState:
        """Return the state that a message reports; raise LabError when there is no such relay."""
        if message.topic == self._plug.result:
            raise LabError(
                f"the plug does not know the command {self._plug.command!r}: {message.text}",
                hint="'relay' counts from 1: how many does it have?",
            )
        return state_in(message)

    def _send(self, topic: str, payload: str) -> _Asked:
        limit = Limit(self.limit)
        self._session.connect(limit)
        self._wait_for_online(limit)
        sent = self._session.send(topic, payload.encode(), limit)
        return _Asked(sent.before, limit, sent.acknowledged)

    def _wait_for_online(self, limit: Limit) -> None:
        """Wait while the broker says that the plug is not there: it may be on its way back."""
        while self._is_offline():
            after = self._session.record.latest()
            if self._is_offline() and self._session.record.next(after, limit.left) is None:
                raise self._silent("come back")

    def _next(self, asked: _Asked, doing: str, wanted: Wanted | None = None) -> MqttMessage:
        message = self._heard(asked, wanted or self._plug.answers)
        if message is None:
            asked.acknowledged()
            raise self._silent(doing)
        return message

    def _heard(self, asked: _Asked, wanted: Wanted) -> MqttMessage | None:
        """Return the next message that is an answer; None when the time is over."""
        return self._session.record.next(asked.number, asked.limit.left, wanted=wanted)

    def _is_offline(self) -> bool:
        last = self._session.record.last(self._plug.alive)
        return last is not None and last.text.lower() == "offline"

    def _silent(self, doing: str) -> LabError:
        alive = self._session.record.last(self._plug.alive)
        evidence = {
            "broker": self.broker.address,
            "topic": self._plug.command,
            "limit": float(self.limit),
            "alive": alive.text if alive else None,
        }
        if self._is_offline():
            return Unreachable(
                f"the plug is offline ({self._plug.alive} says {alive.text if alive else ''}), "
                f"and did not {doing} within {self.limit}",
                evidence=evidence,
                hint="is it plugged in, and in reach of its Wi-Fi?",
            )
        return Unreachable(
            f"the plug did not {doing} within {self.limit}",
            evidence=evidence,
            hint="is its topic right? A slow one gets more time by 'limit'",
        )


class _Asked(NamedTuple):
    """A command on its way: after which message an answer counts, and how long it may take."""

    number: int
    limit: Limit
    acknowledged: Callable[[], None]

    def after(self, message: MqttMessage) -> _Asked:
        return self._replace(number=message.number)
