"""Peers: a test that needs a real one is skipped with the reason where it is missing, and fails under CI."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from support import lab_vm
from support.mosquitto import Mosquitto, mosquitto
from support.peers import missing

if TYPE_CHECKING:
    from support.corellium import Corellium
    from support.corellium_driver import Driven
    from support.usb_lab import UsbBus


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(lab_vm.Inside(config) if lab_vm.inside() else lab_vm.Outside(config))


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("labvm") and not lab_vm.inside():
        item.add_marker(pytest.mark.peer("lab vm"))
    for marker in item.iter_markers("peer"):
        for name in marker.args:
            reason = missing(name)
            if reason and os.environ.get("CI") == "true":
                pytest.fail(f"peer {name} is missing under CI: {reason}", pytrace=False)
            if reason:
                pytest.skip(f"peer {name}: {reason}")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A real MQTT broker; each test has topics of its own there."""
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as it:
        yield it


@pytest.fixture
def usb_bus() -> "Iterator[UsbBus]":
    """A USB bus without any device on it, until the test plugs one in."""
    from support.usb_lab import usb_lab

    lab = usb_lab()
    lab.bus.clear()
    yield lab.bus
    lab.bus.clear()


@pytest.fixture
def corellium() -> "Iterator[Corellium]":
    """An emulated API of Corellium that has no device yet."""
    from support.corellium import Corellium, served

    with served(Corellium()) as it:
        yield it


@pytest.fixture
def driven(corellium: "Corellium") -> "Iterator[Driven]":
    """What opens drivers at that API."""
    from support.corellium_driver import driving

    with driving(corellium) as made:
        yield made
