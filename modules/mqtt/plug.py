"""What is said to and by a plug with Tasmota (Tasmota documentation, "MQTT", "Commands", "Energy")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from runner.api import LabError, Misfit, MqttMessage, Options, PowerReading, PowerState, arg
from runner.api.json_path import parsed, shown
from runner.api.mqtt import wrong_topic

_PREFIXES = ("cmnd", "stat", "tele")
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


class Plug(NamedTuple):
    """The topics of one relay. A plug with one relay calls it POWER or POWER1, as it likes."""

    command: str
    """Where it takes commands for its relay."""
    status: tuple[str, ...]
    """Where it may report the relay's state."""
    result: str
    """Where it answers what it does not know."""
    alive: str
    """Where it says Online, and the broker Offline; empty: nowhere."""
    sensors: str
    """Where it is asked for what it measures."""
    sensed: str
    """Where it tells that."""

    @property
    def heard(self) -> tuple[str, ...]:
        """What is to be subscribed."""
        return tuple(filter(None, (*self.status, self.result, self.alive, self.sensed)))

    def answers(self, message: MqttMessage) -> bool:
        """Tell whether a message answers a command: what the broker had kept does not."""
        known = message.topic in self.status
        return not message.retained and (
            known or (message.topic == self.result and '"Unknown"' in message.text)
        )

    def tells(self, message: MqttMessage) -> bool:
        """Tell whether a message holds what is measured."""
        return message.topic == self.sensed and not message.retained


def plug_of(topic: str | Topics, full_topic: str, relay: int | None) -> Plug:
    """Return the topics of one relay of a plug; without a number it is the first, by its short name.

    >>> plug_of("lamp", "%prefix%/%topic%/", 2).status
    ('stat/lamp/POWER2',)
    """
    power = f"POWER{relay or ''}"
    if isinstance(topic, Topics):
        command, _, power = topic.command.rpartition("/")
        stat = topic.status.rpartition("/")[0]
        return _plug(f"{command}/", f"{stat}/", topic.alive, power, (topic.status,))
    made = [full_topic.replace("%prefix%", each).replace("%topic%", topic) for each in _PREFIXES]
    cmnd, stat, tele = (each if each.endswith("/") else f"{each}/" for each in made)
    names = ("POWER", "POWER1") if (relay or 1) == 1 else (power,)
    return _plug(cmnd, stat, f"{tele}LWT", power, tuple(f"{stat}{name}" for name in names))


def _plug(command: str, stat: str, alive: str, power: str, status: tuple[str, ...]) -> Plug:
    return Plug(f"{command}{power}", status, f"{stat}RESULT", alive, f"{command}STATUS", f"{stat}STATUS10")


def state_in(message: MqttMessage) -> PowerState:
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


def reading_in(message: MqttMessage, relay: int) -> PowerReading | None:
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
