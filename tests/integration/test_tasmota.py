"""The Tasmota driver on a real broker, and a plug in every mood."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from support.command import wait_until
from support.mosquitto import PASSWORD, USER, Mosquitto
from support.plug import Plug, plug

from runner.api import Duration, LabError, PowerReading, Secret, Unreachable
from runner.modules.mqtt.broker import Broker
from runner.modules.mqtt.plug import Topics
from runner.modules.mqtt.tasmota import Tasmota

pytestmark = pytest.mark.peer("mosquitto")

Driven = Callable[..., Tasmota]
NEVER = Duration("60s")


@pytest.fixture
def driven(broker: Mosquitto, request: pytest.FixtureRequest) -> Iterator[Driven]:
    """Opens drivers of the plug that is called like the test, by the way that lets in everybody."""
    with ExitStack() as stack:

        def made(**options: object) -> Tasmota:
            given = {"broker": Broker(address=f"127.0.0.1:{broker.open}"), "topic": request.node.name}
            driver = Tasmota(**{"limit": NEVER, **given, **options})
            driver.open()
            stack.callback(driver.close)
            return driver

        yield made


@pytest.fixture
def plugged(broker: Mosquitto, request: pytest.FixtureRequest) -> Iterator[Callable[..., Plug]]:
    with ExitStack() as stack:
        yield lambda **how: stack.enter_context(plug(request.node.name, broker.open, **how))


def fails(power: Tasmota, act: Callable[[], object], match: str) -> LabError:
    """Return the error that an act ends with, given more and more time: this machine may be slow."""
    for limit in ("300ms", "3s", "30s"):
        power.limit = Duration(limit)
        with pytest.raises(LabError) as caught:
            act()
        if re.search(match, str(caught.value)):
            assert str(power.limit) in str(caught.value)
            return caught.value
    raise AssertionError(f"{match!r} is not in {caught.value}")


def ways(broker: Mosquitto) -> dict[str, Broker]:
    """Return every way into the broker."""
    who = {"username": USER, "password": Secret(PASSWORD)}
    host = "127.0.0.1"
    return {
        "password": Broker(address=f"mqtt://{host}:{broker.password}", **who),
        "TLS": Broker(address=f"mqtts://{host}:{broker.tls}", ca=broker.ca, **who),
        "insecure": Broker(address=f"mqtts://{host}:{broker.tls}", insecure=True, **who),
        "certificate": Broker(
            address=f"mqtts://{host}:{broker.mutual}",
            ca=broker.ca,
            certificate=broker.certificate,
            key=broker.key,
        ),
        "WebSockets": Broker(address=f"ws://{host}:{broker.websockets}/mqtt", **who),
        "Unix socket": Broker(address=f"unix://{broker.socket}"),
        "MQTT 5": Broker(address=f"{host}:{broker.open}", version="5"),
    }


@pytest.mark.parametrize(
    "way", ["password", "TLS", "insecure", "certificate", "WebSockets", "Unix socket", "MQTT 5"]
)
def test_every_way_into_a_broker_leads_to_the_plug(way: str, broker: Mosquitto, driven: Driven) -> None:
    with plug("ways", broker.open) as it:
        power = driven(broker=ways(broker)[way], topic="ways")
        power.on()

        assert power.state() == "on"
        assert it.commands == [("POWER", "ON"), ("POWER", "")]


@pytest.mark.parametrize("way", ["password", "TLS", "WebSockets"])
def test_wrong_credentials_are_an_error_at_once(way: str, broker: Mosquitto, driven: Driven) -> None:
    right = ways(broker)[way]
    wrong = Broker(address=right.address, ca=right.ca, username=USER, password=Secret("guessed"))

    with pytest.raises(LabError, match=r"refuses the connection of user 'lab': Not authorized") as caught:
        driven(broker=wrong).on()
    assert "guessed" not in str(caught.value.evidence) + str(caught.value)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # paho leaves the socket to the collector
def test_a_certificate_that_nobody_trusts_is_refused(broker: Mosquitto, driven: Driven) -> None:
    with pytest.raises(LabError, match="shows a certificate that is not trusted"):
        driven(broker=Broker(address=f"mqtts://127.0.0.1:{broker.tls}")).on()


def test_a_broker_that_wants_a_certificate_is_named(broker: Mosquitto, driven: Driven) -> None:
    with pytest.raises(Unreachable, match="did not let us in") as caught:
        driven(broker=Broker(address=f"mqtts://127.0.0.1:{broker.mutual}", ca=broker.ca)).on()
    assert caught.value.hint == "does it ask for a certificate of ours?"


def test_a_port_where_nobody_listens_is_named(driven: Driven) -> None:
    with pytest.raises(Unreachable, match="MQTT broker 127.0.0.1:1 cannot be reached: Connection refused"):
        driven(broker=Broker(address="127.0.0.1:1")).on()


def test_a_status_that_the_broker_has_kept_does_not_count(
    driven: Driven, plugged: Callable[..., Plug]
) -> None:
    it = plugged(mood="silent")
    it.say(f"stat/{it.topic}/POWER", "ON", retain=True).wait_for_publish(30)

    power = driven()
    assert isinstance(fails(power, power.on, "the plug did not report that it is on"), Unreachable)
    assert ("POWER", "ON") in it.commands
    it.say(f"stat/{it.topic}/POWER", "", retain=True).wait_for_publish(30)


def test_a_status_of_before_the_command_does_not_count(driven: Driven, plugged: Callable[..., Plug]) -> None:
    it = plugged()
    power = driven()
    power.on()
    it.mood = "silent"

    assert isinstance(fails(power, power.on, "the plug did not report that it is on"), Unreachable)


def test_a_late_plug_is_waited_for(driven: Driven, plugged: Callable[..., Plug]) -> None:
    it = plugged(mood="late")
    power = driven()
    done = threading.Event()
    thread = threading.Thread(target=lambda: (power.on(), done.set()))
    thread.start()
    assert it.asked.wait(30)
    assert not done.is_set()

    it.release()
    thread.join(30)

    assert done.is_set()


def test_a_plug_that_is_gone_is_named_as_offline(driven: Driven, plugged: Callable[..., Plug]) -> None:
    it = plugged()
    power = driven()
    assert power.state() == "off"
    it.vanish()
    wait_until(power._is_offline, "the broker tells the plug's will")

    said = rf"is offline \(tele/{it.topic}/LWT says Offline\), and did not come back within"
    assert isinstance(fails(power, power.on, said), Unreachable)
    assert ("POWER", "ON") not in it.commands


def test_a_plug_that_comes_back_is_waited_for(driven: Driven, plugged: Callable[..., Plug]) -> None:
    it = plugged()
    it.say(f"tele/{it.topic}/LWT", "Offline", retain=True).wait_for_publish(30)
    power = driven()
    done = threading.Event()
    thread = threading.Thread(target=lambda: (power.on(), done.set()))
    thread.start()

    it.say(f"tele/{it.topic}/LWT", "Online", retain=True)
    thread.join(30)

    assert done.is_set()


def test_a_relay_that_sticks_is_found(driven: Driven, plugged: Callable[..., Plug]) -> None:
    plugged(mood="stuck")

    power = driven()
    fails(power, power.on, "the plug still reports off, .* after it was told on")


def test_a_relay_that_is_not_there_is_named(driven: Driven, plugged: Callable[..., Plug]) -> None:
    plugged(relays=2)

    with pytest.raises(LabError, match=r"does not know the command 'cmnd/.*/POWER3'") as caught:
        driven(relay=3).on()
    assert "how many does it have?" in caught.value.hint


def test_nonsense_is_no_state(driven: Driven, plugged: Callable[..., Plug]) -> None:
    plugged(mood="babbles")

    with pytest.raises(LabError, match=r"reports 'maybe' on 'stat/.*/POWER', expected ON or OFF"):
        driven().state()


@pytest.mark.parametrize("relay", [None, 1, 2])
def test_each_relay_of_a_strip_is_its_own(relay: int | None, driven: Driven, broker: Mosquitto) -> None:
    with plug("strip", broker.open, 2) as it:
        power = driven(topic="strip", relay=relay)
        power.on()

        assert it.relays == (["OFF", "ON"] if relay == 2 else ["ON", "OFF"])
        assert power.state() == "on"
        assert power.read() == PowerReading(voltage=230.0, current=0.054, power=12.5)


def test_a_plug_without_a_meter_cannot_measure(driven: Driven, plugged: Callable[..., Plug]) -> None:
    plugged(energy=False)

    assert driven().read() is None


def test_topics_of_its_own_and_another_layout_are_possible(
    driven: Driven, plugged: Callable[..., Plug]
) -> None:
    it = plugged()
    command, stat = f"cmnd/{it.topic}/POWER", f"stat/{it.topic}/POWER"

    for options in ({"topic": Topics(command=command, status=stat)}, {"full_topic": "%prefix%/%topic%"}):
        power = driven(**options)
        power.on()
        assert power.state() == "on"
        assert power.read() == PowerReading(voltage=230.0, current=0.054, power=12.5)


def test_a_lost_connection_is_made_again_and_what_was_not_delivered_is_not_sent(
    driven: Driven, plugged: Callable[..., Plug]
) -> None:
    it = plugged()
    power = driven()
    power.on()
    link = power._session._link
    assert link is not None
    link._client.socket().shutdown(2)

    wait_until(lambda: not link.alive, "the connection is lost")
    power.off()

    assert power.state() == "off"
    assert it.commands == [("POWER", "ON"), ("POWER", "OFF"), ("POWER", "")]
