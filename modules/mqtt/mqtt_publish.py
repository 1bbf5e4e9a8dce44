"""Publish a message at an MQTT broker."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from runner.api import (
    ByteString,
    Context,
    Duration,
    Misfit,
    Module,
    MqttBroker,
    Result,
    arg,
    device,
)
from runner.api.mqtt import wrong_topic
from runner.modules.mqtt.blame import named


class Published(Result):
    """What was published; what comes from now on may be its answer."""

    topic: str
    size: int
    """Of the payload, in bytes."""
    number: int
    """The newest message in the broker's record before it."""


class MqttPublish(Module):
    """Publish a message at an MQTT broker, and wait until the broker has acknowledged it.

    That the broker has it does not mean that anybody listens: `mqtt_expect` waits for an answer.

    Example::

        - mqtt_publish: {topic: dut/led, payload: "on"}
        - mqtt_publish: {topic: dut/config, payload: {rate: 10}, retain: true}
        - mqtt_publish: {topic: dut/raw, data: "02 01 0C", qos: 2}
    """

    limited_by = "timeout"

    topic: str = arg(help="its topic")
    payload: str | dict[str, Any] | list[Any] = arg(
        default="", help="its text; a mapping or a list is sent as JSON; left out: an empty message"
    )
    data: ByteString | None = arg(default=None, help='its bytes, instead of a payload: "02 01 0C"')
    qos: Literal[0, 1, 2] = arg(
        default=1, help="quality of service; 0: the broker does not say whether it got it"
    )
    retain: bool = arg(default=False, help="whether the broker keeps it for those who subscribe later")
    timeout: Duration = arg(default=Duration("10s"), help="how long the broker may take to acknowledge it")
    broker: MqttBroker = device(help="the broker it is published at")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say what is no topic, and what is too much."""
        if wrong := wrong_topic(given.get("topic", "x"), wildcards=False):
            yield Misfit("topic", wrong)
        if given.get("data") is not None and given.get("payload"):
            yield Misfit("data", "a message has a payload or data, not both")

    def run(self, context: Context) -> Published:
        """Publish it."""
        payload = self._bytes()
        with named(context):
            number = self.broker.publish(
                self.topic, payload, qos=self.qos, retain=self.retain, timeout=self.timeout
            )
        self.broker.last_published = number
        return Published(topic=self.topic, size=len(payload), number=number)

    def _bytes(self) -> bytes:
        if self.data is not None:
            return bytes(self.data)
        return (self.payload if isinstance(self.payload, str) else json.dumps(self.payload)).encode()
