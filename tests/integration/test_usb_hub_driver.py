"""The driver of USB hubs: pyusb and libusb are real, the hubs are played to the byte."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.command import runner
from support.usb_lab import FarDriver, FarPower, UsbBus, usb_lab

from runner.api import LabError, Unreachable, Unsupported

pytestmark = pytest.mark.peer("umockdev")
DESCRIPTOR = "a0 06 2900 0000"


@contextmanager
def usb_hub(**options: Any) -> Iterator[FarPower]:
    driver = FarDriver(usb_lab().far, "usb.usb_hub:UsbHub", **options)
    driver.open()
    try:
        yield FarPower(driver)
    finally:
        driver.close()


def test_a_port_is_switched_and_read_by_these_requests(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-1.4", "hub")
    with usb_hub(location="1-1.4", port=3) as power:
        power.on()
        assert power.state() == "on"
        power.off()

    assert usb_bus.log("1-1.4") == [
        *(DESCRIPTOR, "23 03 0008 0003", "a3 00 0000 0003", "23 01 0008 0003"),
    ]


def test_both_halves_of_a_hub_for_usb_3_are_switched(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-1.4", "hub")
    usb_bus.plug("2-1.4", "hub", super_speed=True)
    usb_bus.plug("2-2", "hub", super_speed=True)
    with usb_hub(location="1-1.4", port=3) as power:
        power.on()
        usb_bus.fault("2-1.4", stuck=1)
        power.off()
        assert power.state() == "on"

    assert "23 01 0008 0003" in usb_bus.log("1-1.4")
    assert usb_bus.log("2-1.4") == [
        *("a0 06 2a00 0000", "23 03 0008 0003", "23 01 0008 0003", "a3 00 0000 0003"),
    ]
    assert usb_bus.log("2-2") == []


def test_the_kernel_knows_which_socket_of_the_twin_it_is(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-1.4", "hub")
    usb_bus.plug("2-2", "hub", super_speed=True)
    usb_bus.ask("pair", location="1-1.4", port=3, twin="2-2", number=1)
    with usb_hub(location="1-1.4", port=3) as power:
        power.on()

    assert "23 03 0008 0001" in usb_bus.log("2-2")


def test_a_hub_is_found_by_its_serial_too(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-1", "hub", serial="A1")
    usb_bus.plug("1-2", "hub", serial="A2")
    with usb_hub(location="A2", port=1) as power:
        power.on()

    assert usb_bus.log("1-1") == []
    with pytest.raises(
        Unreachable, match=r"no hub at '1-3' on USB; there is 1-1 \(serial A1\), 1-2 \(serial A2\)"
    ):
        usb_hub(location="1-3", port=1).__enter__()


@pytest.mark.parametrize(
    ("port", "switching", "message"),
    [
        (5, 1, "hub 1-1 has 4 ports, and no port 5"),
        (1, 0, "hub 1-1 cannot switch the power of each port alone"),
        (1, 2, "hub 1-1 cannot switch the power of each port alone"),
    ],
)
def test_what_a_hub_cannot_do_is_said_before_anything_is_switched(
    usb_bus: UsbBus, port: int, switching: int, message: str
) -> None:
    usb_bus.plug("1-1", "hub", switching=switching)

    with pytest.raises(Unsupported, match=message):
        usb_hub(location="1-1", port=port).__enter__()
    assert usb_bus.log("1-1") == [DESCRIPTOR]


def test_a_status_without_bytes_is_an_error(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-1", "hub")
    with usb_hub(location="1-1", port=1) as power:
        usb_bus.fault("1-1", empty=1)
        with pytest.raises(LabError, match="hub 1-1 answered the status of port 1 with nothing"):
            power.state()


def test_a_step_lists_all_hubs_and_says_why_one_cannot_be_asked(usb_bus: UsbBus, tmp_path: Path) -> None:
    usb_bus.plug("1-1", "hub", serial="A1", ports=2)
    usb_bus.plug("1-2", "hub")
    usb_bus.fault("1-2", stall=1)
    (tmp_path / "lab.yaml").write_text(
        "benches:\n  desk:\n    devices:\n      power: {driver: usb_hub, location: A1, port: 2}\n",
        encoding="utf-8",
    )
    (tmp_path / "recipe.yaml").write_text(
        """
name: Hubs
benches: desk
steps:
  - power_on:
  - usb_hub_info:
    register: usb
  - assert:
      - usb.hubs[0].location == '1-1' and usb.hubs[0].switches_each_port
      - usb.hubs[0].ports[0].power == 'off' and usb.hubs[0].ports[1].power == 'on'
      - not usb.hubs[1].ports and 'refused to answer a request' in usb.hubs[1].problem
""",
        encoding="utf-8",
    )
    done = runner(
        tmp_path, "play", "recipe.yaml", "-i", "lab.yaml", RUNNER_LOCKS=str(tmp_path), **usb_bus.environment
    )

    assert done.returncode == 0, done.stdout + done.stderr
