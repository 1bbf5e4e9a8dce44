"""Begin to record what comes at an MQTT broker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runner.api import Context, Duration, Misfit, Module, MqttBroker, arg, device
from runner.api.mqtt import wrong_topic
from runner.modules.mqtt.blame import named


class MqttSubscribe(Module):
    """Begin to record what comes at an MQTT broker: before a step that makes the board talk.

    `mqtt_publish` and `mqtt_expect` begin, too, with the topics that the broker's device subscribes.

    Example::

        - mqtt_subscribe: dut/#
        - power_on:
        - mqtt_expect: {topic: dut/hello, within: 30s, since: start}
    """

    limited_by = "timeout"

    topic: str = arg(primary=True, help="the topic; + stands for one level, # for the rest")
    timeout: Duration = arg(default=Duration("10s"), help="how long the broker may take to agree")
    broker: MqttBroker = device(help="the broker that is listened to")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say what is no topic."""
        if wrong := wrong_topic(given.get("topic", "x"), wildcards=True):
            yield Misfit("topic", wrong)

    def run(self, context: Context) -> None:
        """Subscribe, unless it is subscribed."""
        with named(context):
            self.broker.connect()
            if not self.broker.hears(self.topic):
                self.broker.listen([self.topic], self.timeout)
