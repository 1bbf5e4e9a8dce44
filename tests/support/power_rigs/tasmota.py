"""A plug with Tasmota behind a real broker, as a rig of the contract."""

from __future__ import annotations

import pytest
from support.opening import Peer
from support.plug import Mood, plug
from support.power_rigs.rig import Opener, Rig

from runner.api import Duration
from runner.modules.mqtt.broker import Broker
from runner.modules.mqtt.tasmota import Tasmota


def tasmota(request: pytest.FixtureRequest, opened: Opener) -> Rig:
    broker = request.getfixturevalue("broker")
    topic = request.node.name.replace("[", "/").rstrip("]")
    peer = Peer(plug(topic, broker.open))
    opened(peer)
    driver = Tasmota(broker=Broker(address=f"127.0.0.1:{broker.open}"), topic=topic, limit=Duration("60s"))
    opened(driver)

    def mood(name: Mood) -> None:
        peer.it.mood = name

    def vanish() -> None:
        driver.limit = Duration("500ms")
        peer.it.vanish()

    return Rig(
        power=driver,
        named=f"cmnd/{topic}/POWER on MQTT broker 127.0.0.1:{broker.open}",
        stick=lambda: mood("lies"),
        refuse=lambda: mood("refuses"),
        stall=lambda: mood("silent"),
        vanish=vanish,
    )
