"""MQTT as an instrument: the driver and its verbs on a real broker, with mosquitto's own clients as peers."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from support.command import wait_until
from support.mosquitto import PASSWORD, USER, Mosquitto
from support.plain_context import PlainContext

from runner.api import ByteString, Cancelled, Duration, Failed, LabError, Secret, TimedOut
from runner.modules.mqtt.broker import Broker
from runner.modules.mqtt.mqtt import Mqtt
from runner.modules.mqtt.mqtt_expect import Heard, MqttExpect
from runner.modules.mqtt.mqtt_publish import MqttPublish
from runner.modules.mqtt.mqtt_subscribe import MqttSubscribe

pytestmark = pytest.mark.peer("mosquitto")

AT_ONCE = Duration(0)
SOON = Duration("100ms")
LONG = Duration("60s")


class Desk:
    """A driver that is open, its verbs, and the other side of the broker."""

    def __init__(self, real: Mosquitto, base: str, **options: Any) -> None:
        self._broker = real
        self.base = base
        self.context = PlainContext()
        self.driver = Mqtt(
            **{
                "broker": Broker(address=f"127.0.0.1:{real.open}"),
                "subscribe": [f"{base}/#"],
                "limit": LONG,
                **options,
            }
        )
        self.driver.open()

    def publish(self, topic: str, payload: Any = "", **more: Any) -> None:
        made = MqttPublish(
            topic=f"{self.base}/{topic}", payload=payload, timeout=LONG, broker=self.driver, **more
        )
        made.run(self.context)

    def expect(self, topic: str, within: Duration = LONG, **more: Any) -> Heard:
        made = MqttExpect(topic=f"{self.base}/{topic}", within=within, broker=self.driver, **more)
        return made.run(self.context)

    def board(self, topic: str, payload: str, *more: str) -> None:
        """Let mosquitto_pub say something, and wait until it is in the record."""
        before = self.driver.latest()
        self.quietly(topic, payload, *more)
        wait_until(lambda: self.driver.latest() > before, "the message comes")

    def quietly(self, topic: str, payload: str, *more: str) -> None:
        command = ["mosquitto_pub", "-p", str(self._broker.open), "-t", f"{self.base}/{topic}"]
        subprocess.run([*command, "-m", payload, "-q", "1", *more], check=True, timeout=60)


@pytest.fixture
def desks(broker: Mosquitto, request: pytest.FixtureRequest) -> Iterator[Callable[..., Desk]]:
    with ExitStack() as stack:

        def made(**options: Any) -> Desk:
            desk = Desk(broker, request.node.name, **options)
            stack.callback(desk.driver.close)
            return desk

        yield made


@pytest.fixture
def desk(desks: Callable[..., Desk]) -> Desk:
    it = desks()
    it.driver.connect()
    return it


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize(
    ("written", "bytes_"),
    [
        ({"payload": "on"}, b"on"),
        ({"payload": {"rate": 10}}, b'{"rate": 10}'),
        ({"data": ByteString("00 ff")}, b"\0\xff"),
    ],
)
def test_what_is_published_arrives(written: dict[str, Any], bytes_: bytes, qos: Any, desk: Desk) -> None:
    desk.publish("led", qos=qos, **written)

    assert desk.expect("led").data == bytes_


def test_an_answer_that_came_before_the_step_began_is_found(desk: Desk) -> None:
    desk.publish("led", "on")
    desk.board("led/state", "on")
    desk.board("other", "1")

    heard = desk.expect("led/state", AT_ONCE, pattern="^on$")

    assert (heard.payload, heard.elapsed) == ("on", 0)


def test_what_came_before_the_latest_publish_is_no_answer(desk: Desk) -> None:
    desk.board("led/state", "on")
    desk.publish("led", "on")

    with pytest.raises(TimedOut, match="no message on '.*/led/state' within 100ms"):
        desk.expect("led/state", SOON)
    assert desk.expect("led/state", AT_ONCE, since="start").payload == "on"


def test_a_message_is_waited_for(desk: Desk) -> None:
    heard: list[Heard] = []
    thread = threading.Thread(target=lambda: heard.append(desk.expect("+/state")))
    thread.start()
    desk.board("led/state", "on")
    thread.join(60)

    assert [each.topic for each in heard] == [f"{desk.base}/led/state"]


def test_a_step_that_waits_can_be_stopped(desk: Desk) -> None:
    ended: list[Exception] = []

    def wait() -> None:
        try:
            desk.expect("never", Duration("1h"))
        except Cancelled as error:
            ended.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    wait_until(lambda: bool(desk.context._wakes), "it waits")
    desk.context.cancel()
    thread.join(60)

    assert len(ended) == 1


def test_what_the_broker_has_kept_counts_only_where_it_may(desks: Callable[..., Desk]) -> None:
    desk = desks()
    desk.quietly("alive", "yes", "-r")
    desk.driver.connect()
    wait_until(lambda: desk.driver.latest() > 0, "the broker sends what it has kept")

    with pytest.raises(TimedOut, match=r"but '.*/alive' said 'yes' \(kept by the broker\)"):
        desk.expect("alive", AT_ONCE)
    assert desk.expect("alive", retained_ok=True).retained


def test_what_is_kept_is_asked_for_anew(desk: Desk) -> None:
    desk.board("alive", "yes", "-r")
    desk.board("alive", "no", "-r")
    desk.publish("led", "on")

    assert desk.expect("alive", retained_ok=True).payload == "no"


def test_a_value_is_found_in_json(desk: Desk) -> None:
    desk.board("status", '{"sensors": [{"name": "temp", "value": 21.5, "on": true}]}')

    assert desk.expect("status", json_path="sensors.0.value", value=21.5).value == 21.5
    assert desk.expect("status", json_path="sensors.0").value["name"] == "temp"
    for path, value, why in (
        ("sensors.0.value", 22, "21.5 there"),
        ("sensors.0.on", 1, "True there"),
        ("sensors.1", None, "no '1' at 'sensors': there is a list of 1"),
        ("sensor", None, "no 'sensor': there is 'sensors'"),
    ):
        with pytest.raises(TimedOut) as caught:
            desk.expect("status", AT_ONCE, json_path=path, value=value)
        assert caught.value.message.endswith(f"({why})")


def test_what_is_no_json_is_said_to_be_none(desk: Desk) -> None:
    desk.board("status", "21.5 degrees")

    with pytest.raises(TimedOut, match=r"said '21.5 degrees' \('21.5 degrees' is no JSON: "):
        desk.expect("status", AT_ONCE, json_path="value")


def test_a_message_that_must_not_come_fails(desk: Desk) -> None:
    assert desk.expect("alarm", SOON, absent=True).elapsed == SOON
    desk.board("alarm", "fire")

    with pytest.raises(Failed, match="'.*/alarm' said 'fire', which must not come within 100ms"):
        desk.expect("alarm", SOON, absent=True)


def test_a_topic_that_nobody_listens_to_is_subscribed_by_the_step(desks: Callable[..., Desk]) -> None:
    desk = desks(subscribe=[])
    MqttSubscribe(topic=f"{desk.base}/a/+", broker=desk.driver).run(desk.context)
    desk.board("a/b", "1")
    desk.quietly("c", "2")

    assert desk.expect("a/b", AT_ONCE).payload == "1"
    assert desk.driver.latest() == 1


def test_lost_messages_are_an_error_of_the_lab(desks: Callable[..., Desk]) -> None:
    desk = desks(record=2)
    desk.driver.connect()
    for number in range(3):
        desk.board("count", str(number))

    with pytest.raises(LabError, match="1 messages after number 0 are lost") as caught:
        desk.expect("count", AT_ONCE)
    assert "option 'record'" in caught.value.hint


def test_a_lost_connection_blames_the_lab_and_not_the_board(desk: Desk) -> None:
    desk.publish("led", "on")
    link = desk.driver._session._link
    assert link is not None
    link._client.socket().shutdown(2)

    with pytest.raises(LabError, match="the connection ended: .*, so that messages may have been missed"):
        desk.expect("led/state")
    desk.publish("led", "off")
    assert desk.expect("led").payload == "off"


def test_a_connection_that_was_lost_between_two_messages_is_not_forgotten(desk: Desk) -> None:
    desk.publish("led", "on")
    link = desk.driver._session._link
    assert link is not None
    link._client.socket().shutdown(2)
    wait_until(lambda: not link.alive, "the connection is lost")
    desk.driver.connect()
    desk.board("led/state", "off")

    for absent in (False, True):
        with pytest.raises(LabError, match="messages may have been missed"):
            desk.expect("led/alarm", AT_ONCE, absent=absent)
    assert desk.expect("led/state", AT_ONCE).payload == "off"


def test_a_broker_that_refuses_a_topic_is_named(broker: Mosquitto, desks: Callable[..., Desk]) -> None:
    who = Broker(
        address=f"127.0.0.1:{broker.password}", username=USER, password=Secret(PASSWORD), version="5"
    )
    desk = desks(broker=who, subscribe=[])

    with pytest.raises(LabError) as caught:
        MqttPublish(topic="secret/x", broker=desk.driver).run(desk.context)
    assert caught.value.message == (
        f"'broker' on bench 'bench': MQTT broker 127.0.0.1:{broker.password} refuses a message to 'secret/x': "
        "Not authorized"
    )
