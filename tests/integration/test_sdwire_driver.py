"""The driver of SDWire muxes: pyusb and libusb are real, the units are played to the byte."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from support.mux_rigs.rig import Muxed
from support.usb_lab import FarDriver, FarMux, UsbBus, usb_lab

from runner.api import LabError, Unreachable, Unsupported
from runner.modules.storage.storage_mux import StorageMux

pytestmark = pytest.mark.peer("umockdev")


@contextmanager
def sdwire(**options: Any) -> Iterator[FarMux]:
    driver = FarDriver(usb_lab().far, "usb.sdwire:Sdwire", **options)
    driver.open()
    try:
        yield FarMux(driver)
    finally:
        driver.close()


def test_it_is_switched_and_read_by_these_requests(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-1.2", "sdwire", serial="sdw-07")
    with sdwire() as mux:
        mux.switch("host")
        assert mux.position() == "host"
        mux.switch("dut")

    assert usb_bus.log("1-1.2") == ["40 0b 20f1 0000", "c0 0c 0000 0000", "40 0b 20f0 0000"]


def test_a_mux_that_is_there_already_is_not_switched(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-1.2", "sdwire", serial="sdw-07")
    with sdwire() as mux:
        mux.switch("host")
        usb_bus.log("1-1.2")
        moved = StorageMux(position="host", mux=mux).run(Muxed())

    assert moved.previous == "host"
    assert usb_bus.log("1-1.2") == ["c0 0c 0000 0000"]


def test_it_has_no_position_off_and_nothing_is_sent_for_it(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-1.2", "sdwire", serial="sdw-07")
    with sdwire() as mux, pytest.raises(Unsupported, match="has no position 'off'"):
        mux.switch("off")

    assert usb_bus.log("1-1.2") == []


def test_another_device_with_its_numbers_is_none(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-1.2", "sdwire", serial="sdw-07", name="a phone")

    with pytest.raises(Unreachable, match="no SDWire on USB$"):
        sdwire().__enter__()


def test_a_unit_with_the_numbers_of_its_maker_is_found_by_its_serial_only(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-1.2", "sdwire", serial="D0001", name="FT200X", vendor=0x0403, product=0x6015)

    with sdwire(serial="D0001") as mux:
        mux.switch("host")
    with pytest.raises(Unreachable, match="no SDWire on USB$"):
        sdwire().__enter__()


def test_of_two_units_the_serial_says_which_and_each_has_its_own_card(usb_bus: UsbBus) -> None:
    for number in (1, 2):
        usb_bus.plug(f"1-{number}.2", "sdwire", serial=f"sdw-0{number}")
        usb_bus.plug_disk(f"1-{number}.1", f"sd{'xab'[number]}", of=f"1-{number}.2")

    with pytest.raises(LabError, match=r"2 devices could be this SDWire: 1-1.2 \(serial sdw-01\), 1-2.2 "):
        sdwire().__enter__()
    with sdwire(serial="sdw-02") as mux:
        mux.switch("host")
        assert mux.medium() == "/dev/sdb"
    assert usb_bus.log("1-1.2") == []


def test_the_card_is_looked_up_anew_each_time(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-1.2", "sdwire", serial="sdw-07")
    with sdwire() as mux:
        mux.switch("host")
        with pytest.raises(Unreachable, match="no disk beside SDWire sdw-07"):
            mux.medium()
        usb_bus.plug_disk("1-1.1", "sda", of="1-1.2")
        assert mux.medium() == "/dev/sda"
        usb_bus.unplug_disk("1-1.1")
        usb_bus.plug_disk("1-1.1", "sdb", of="1-1.2")
        assert mux.medium() == "/dev/sdb"
        mux.switch("dut")
        with pytest.raises(Unreachable, match="no medium at '/dev/sdb': its reader is empty"):
            mux.medium()


def test_a_second_disk_on_its_hub_must_be_told_apart(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-1.2", "sdwire", serial="sdw-07")
    usb_bus.plug_disk("1-1.1", "sda", of="1-1.2")
    usb_bus.plug_disk("1-1.3", "sdb")

    with (
        sdwire() as mux,
        pytest.raises(LabError, match="several disks beside SDWire sdw-07: sda, sdb"),
    ):
        mux.medium()
    with sdwire(storage_device="/dev/sdb") as mux:
        assert mux.medium() == "/dev/sdb"


def test_an_answer_without_a_byte_is_an_error(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-1.2", "sdwire", serial="sdw-07")
    usb_bus.fault("1-1.2", empty=1)

    with sdwire() as mux, pytest.raises(LabError, match="answered the state of its pins with nothing"):
        mux.position()
