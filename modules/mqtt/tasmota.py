"""A plug or relay card with Tasmota's firmware, over MQTT (Tasmota documentation, "MQTT" and "Commands")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from runner.api import (
    Driver,
    Duration,
    LabError,
    Misfit,
    MqttMessage,
    Needs,
    Options,
    Power,
    PowerReading,
    PowerState,
    Unreachable,
    arg,
)
from runner.api.json_path import parsed, shown
from runner.api.mqtt import wrong_topic
from runner.modules.mqtt.broker import Broker
from runner.modules.mqtt.link import Limit
from runner.modules.mqtt.session import Session

_PREFIXES = ("cmnd", "stat", "tele")
_WORDS = ("%prefix%", "%topic%")
_STATES: Mapping[str, PowerState] = {"on": "on", "1": "on", "off": "off", "0": "off"}


class Topics(Options):
    """The topics of a plug whose layout is its own."""

    command: str = arg(help="where it takes commands, with the relay: cmnd/plug1/POWER")
    status: str = arg(help="where it reports the relay's state: stat/plug1/POWER")
    alive: str = arg(default="", help="where it says Online, and the broker Offline: tele/plug1/LWT")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say what is no topic."""
        for name in ("command", "status", "alive"):
            if (given.get(name) or name != "alive") and (wrong := wrong_topic(given[name], wildcards=False)):
                yield Misfit(name, wrong)


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
        self._plug = self._layout()
        self._session = Session(self.broker, self._plug.heard)

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
        asked = self._send(self._plug.command, "")
        while True:
            message = self._next(asked, "report its state")
            asked = asked.after(message)
            if (said := self._told(message)) is not None:
                return said

    def read(self) -> PowerReading | None:
        """Ask for its sensors (``Status 10``); None when the plug has no energy meter."""
        asked = self._send(self._plug.sensors, "10")
        while True:
            message = self._next(asked, "report its sensors")
            asked = asked.after(message)
            if message.topic == self._plug.sensed:
                return reading(message, (self.relay or 1) - 1)

    def label(self) -> str:
        """Return which relay of which plug on which broker it is."""
        return f"{self._plug.command} on {self.broker.where}"

    def _switch(self, wanted: PowerState) -> None:
        asked = self._send(self._plug.command, wanted.upper())
        said: PowerState | None = None
        while said != wanted:
            message = self._heard(asked) if said else self._next(asked, f"report that it is {wanted}")
            if message is None:
                raise LabError(
                    f"the plug still reports {said}, {self.limit} after it was told {wanted}",
                    evidence={"expected": wanted, "actual": said, "topic": self._plug.command},
                    hint="does a rule or an interlock of its own switch it back?",
                )
            asked = asked.after(message)
            said = self._told(message) or said

    def _told(self, message: MqttMessage) -> PowerState | None:
        """Return the state that a message reports; raise LabError when there is no such relay."""
        if message.topic in self._plug.status:
            return _state(message)
        if message.topic == self._plug.result and '"Unknown"' in message.text:
            raise LabError(
                f"the plug does not know the command {self._plug.command!r}: {message.text}",
                hint="'relay' counts from 1: how many does it have?",
            )
        return None

    def _send(self, topic: str, payload: str) -> _Asked:
        limit = Limit(self.limit)
        self._session.connect(limit)
        self._wait_for_online(limit)
        before = self._session.publish(topic, payload.encode(), qos=1, retain=False, limit=limit)
        return _Asked(before, limit)

    def _wait_for_online(self, limit: Limit) -> None:
        """Wait while the broker says that the plug is not there: it may be on its way back."""
        while self._is_offline():
            after = self._session.record.latest()
            if self._is_offline() and self._session.record.next(after, limit.left) is None:
                raise self._silent("come back")

    def _next(self, asked: _Asked, doing: str) -> MqttMessage:
        message = self._heard(asked)
        if message is None:
            raise self._silent(doing)
        return message

    def _heard(self, asked: _Asked) -> MqttMessage | None:
        """Return the next message that is no older than the command; None when the time is over."""
        while True:
            message = self._session.record.next(asked.number, asked.limit.left)
            if message is None or not message.retained:
                return message
            asked = asked.after(message)

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

    def _layout(self) -> _Plug:
        power = f"POWER{self.relay or ''}"
        if isinstance(self.topic, Topics):
            command, _, last = self.topic.command.rpartition("/")
            status = self.topic.status.rpartition("/")[0]
            return _plug(f"{command}/", f"{status}/", self.topic.alive, last, (self.topic.status,))
        made = [
            self.full_topic.replace("%prefix%", each).replace("%topic%", self.topic) for each in _PREFIXES
        ]
        cmnd, stat, tele = (each if each.endswith("/") else f"{each}/" for each in made)
        names = {power, "POWER", "POWER1"} if (self.relay or 1) == 1 else {power}
        return _plug(cmnd, stat, f"{tele}LWT", power, tuple(f"{stat}{name}" for name in sorted(names)))


class _Plug(NamedTuple):
    """The topics of one relay. A plug with one relay calls it POWER or POWER1, as it likes."""

    command: str
    status: tuple[str, ...]
    result: str
    alive: str
    sensors: str
    sensed: str

    @property
    def heard(self) -> tuple[str, ...]:
        return tuple(filter(None, (*self.status, self.result, self.alive, self.sensed)))


class _Asked(NamedTuple):
    """The message after which an answer counts, and how long it may take."""

    number: int
    limit: Limit

    def after(self, message: MqttMessage) -> _Asked:
        return self._replace(number=message.number)


def _plug(command: str, stat: str, alive: str, power: str, status: tuple[str, ...]) -> _Plug:
    return _Plug(f"{command}{power}", status, f"{stat}RESULT", alive, f"{command}STATUS", f"{stat}STATUS10")


def _state(message: MqttMessage) -> PowerState:
    """Return the state in ``ON``, or in ``{"POWER":"ON"}`` (SetOption4); raise LabError for anything else."""
    text = message.text
    if text.startswith("{"):
        found = _object(message).get(message.topic.rpartition("/")[2])
        text = str(found)
    state = _STATES.get(text.strip().lower())
    if state is None:
        raise LabError(
            f"the plug reports {shown(message.text)} on {message.topic!r}, expected ON or OFF",
            evidence={"topic": message.topic, "payload": message.text},
        )
    return state


def reading(message: MqttMessage, relay: int) -> PowerReading | None:
    """Return the energy in a ``STATUS10`` message; None when there is none. Some plugs list their relays."""
    sensors = _object(message).get("StatusSNS")
    energy = sensors.get("ENERGY") if isinstance(sensors, dict) else None
    if not isinstance(energy, dict):
        return None
    return PowerReading(
        voltage=_number(energy.get("Voltage"), relay),
        current=_number(energy.get("Current"), relay),
        power=_number(energy.get("Power"), relay),
    )


def _object(message: MqttMessage) -> Mapping[str, object]:
    try:
        found = parsed(bytes(message.payload))
    except ValueError as error:
        raise LabError(f"the plug reports on {message.topic!r} what {error}") from error
    if not isinstance(found, dict):
        raise LabError(f"the plug reports {shown(message.text)} on {message.topic!r}, expected an object")
    return found


def _number(value: object, relay: int) -> float | None:
    if isinstance(value, list):
        value = value[relay] if relay < len(value) else None
    return float(value) if isinstance(value, (int, float)) else None
