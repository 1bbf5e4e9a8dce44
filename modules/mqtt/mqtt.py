"""An MQTT broker as an instrument: what a board says there is recorded, and it can be answered."""

from __future__ import annotations

from collections.abc import Iterable

from runner.api import Context, Driver, Duration, MqttBroker, MqttMessage, Needs, arg
from runner.modules.mqtt.broker import Broker
from runner.modules.mqtt.link import Limit
from runner.modules.mqtt.session import Session


class Mqtt(Driver, MqttBroker):
    """An MQTT broker that the board, or an instrument, talks through.

    It is connected to by the first step that uses it, and listened to until the end of the run.
    What comes on the topics of `subscribe` is kept meanwhile, so that a step finds what came
    before it began. A broker that refuses ``#``, or carries much that is of no interest, needs
    other ones.

    Example::

        devices:
          mqtt: {driver: mqtt, broker: broker.lab}
          cloud:
            driver: mqtt
            broker: {address: "mqtts://broker.lab", username: bench, password: !env MQTT_PASSWORD}
            subscribe: [dut/#]
    """

    private = True

    broker: Broker = arg(help="where it is, and how one is let in")
    subscribe: list[str] = arg(default=["#"], help="the topics to record, from the first use on")
    record: int = arg(default=4096, help="how many messages are kept", minimum=1)
    limit: Duration = arg(default=Duration("10s"), help="how long it may take to connect")

    def needs(self) -> Needs:
        """Return where the broker is."""
        return Needs(nodes=(self.broker.node,))

    def open(self) -> None:
        """Get ready; the first use connects."""
        self._session = Session(self.broker, self.subscribe, self.record)

    def close(self) -> None:
        """End the connection."""
        self._session.close()

    def connect(self) -> None:
        """Connect, unless we are."""
        self._session.connect(Limit(self.limit))

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool, timeout: Duration) -> int:
        """Publish a message, and wait until the broker has acknowledged it."""
        self.connect()
        return self._session.publish(topic, payload, qos=qos, retain=retain, limit=Limit(timeout))

    def listen(self, topics: Iterable[str], timeout: Duration) -> None:
        """Record what comes on these topics, too, beginning with what the broker has kept."""
        self.connect()
        self._session.listen(topics, Limit(timeout))

    def hears(self, topic: str) -> bool:
        """Tell whether everything that a topic can mean is recorded already."""
        return self._session.hears(topic)

    def latest(self) -> int:
        """Return the number of the newest message."""
        return self._session.record.latest()

    def next(self, after: int, timeout: float, context: Context) -> MqttMessage | None:
        """Wait for the first message numbered above `after`."""
        self.connect()
        return self._session.record.next(after, timeout, context)

    def check_whole(self, after: int) -> None:
        """Raise LabError when the connection was lost since."""
        self._session.record.check_whole(after)

    def where(self) -> str:
        """Return its address."""
        return self.broker.where
