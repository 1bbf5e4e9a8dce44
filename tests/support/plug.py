"""A plug with Tasmota's firmware, as far as MQTT shows it (Tasmota documentation, "MQTT", "Commands")."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

Mood = Literal["answers", "late", "silent", "refuses", "stuck", "lies", "babbles"]
"""`stuck` reports that it has not switched, `lies` that it has; `refuses` knows no
command but that for its state."""


class Plug:
    """Relays that a test looks at. In the mood `late` it answers when `release` is called."""

    def __init__(self, topic: str, relays: int = 1, *, mood: Mood = "answers", energy: bool = True) -> None:
        self.topic = topic
        self.relays = ["OFF"] * relays
        self.mood: Mood = mood
        self.energy = energy
        self.commands: list[tuple[str, str]] = []
        self._kept: list[tuple[str, str]] = []
        self._ready = threading.Event()
        self.asked = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=topic)
        self._client.will_set(f"tele/{topic}/LWT", "Offline", retain=True)
        self._client.on_socket_open = lambda _client, _data, connection: connection.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )
        self._client.on_connect = lambda client, *_: client.subscribe(f"cmnd/{topic}/#", qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = lambda _client, _data, message: self._told(message)
        self._client.on_publish = lambda client, *_: _acknowledge(client)

    def connect(self, port: int) -> None:
        """Come online."""
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(30)
        self.say(f"tele/{self.topic}/LWT", "Online", retain=True).wait_for_publish(30)

    def vanish(self) -> None:
        """Lose the connection without a word, as when the mains are pulled; the broker tells its will."""
        self._client.loop_stop()
        connection = self._client.socket()
        assert connection is not None
        connection.close()

    def leave(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, topic: str, payload: str, *, retain: bool = False) -> paho.MQTTMessageInfo:
        return self._client.publish(topic, payload, qos=1, retain=retain)

    def release(self) -> None:
        """Say what was kept back."""
        kept, self._kept = self._kept, []
        for topic, payload in kept:
            self.say(topic, payload)

    def _told(self, message: Any) -> None:
        _acknowledge(self._client)
        name, value = message.topic.rpartition("/")[2], message.payload.decode()
        self.commands.append((name, value))
        answers = self._answers(name, value)
        if self.mood == "late":
            self._kept += answers
        elif self.mood != "silent":
            for topic, payload in answers:
                self._client.publish(topic, payload)  # with quality of service 0, as Tasmota does
        self.asked.set()

    def _answers(self, name: str, value: str) -> Sequence[tuple[str, str]]:
        stat = f"stat/{self.topic}"
        if name == "STATUS" and value == "10":
            return [(f"{stat}/STATUS10", json.dumps({"StatusSNS": self._sensors()}))]
        number = int(name.removeprefix("POWER") or 1) if name.startswith("POWER") else 0
        if not 1 <= number <= len(self.relays) or (value and self.mood == "refuses"):
            return [(f"{stat}/RESULT", '{"Command":"Unknown"}')]
        if value and self.mood not in {"stuck", "lies"}:
            self.relays[number - 1] = value
        called = "POWER" if len(self.relays) == 1 else f"POWER{number}"
        state = value if value and self.mood == "lies" else self.relays[number - 1]
        state = "maybe" if self.mood == "babbles" else state
        return [(f"{stat}/RESULT", json.dumps({called: state})), (f"{stat}/{called}", state)]

    def _sensors(self) -> dict[str, Any]:
        on = [relay == "ON" for relay in self.relays]
        watts: Any = [12.5 * each for each in on] if len(on) > 1 else 12.5 * on[0]
        energy = {"Total": 1.5, "Power": watts, "Voltage": 230, "Current": 0.054}
        return {"Time": "2026-11-21T12:00:00", **({"ENERGY": energy} if self.energy else {})}


def _acknowledge(client: paho.Client) -> None:
    """Acknowledge at once what has been received, or the broker keeps the next packet back (tcp(7))."""
    connection: Any = client.socket()
    if connection is not None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


@contextlib.contextmanager
def plug(
    topic: str, port: int, relays: int = 1, *, mood: Mood = "answers", energy: bool = True
) -> Iterator[Plug]:
    """Plug one in; it leaves at the end, and the broker forgets it."""
    made = Plug(topic, relays, mood=mood, energy=energy)
    made.connect(port)
    try:
        yield made
    finally:
        made.leave()
