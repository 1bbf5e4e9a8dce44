"""The driver of USB-SD-Muxes: the kernel's SCSI commands go to units that are played to the register."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from support.usb_lab import Far, FarDriver, FarMux, UsbBus, usb_lab

from runner.api import LabError, Unreachable

pytestmark = pytest.mark.peer("umockdev")


@contextmanager
def usb_sd_mux(far: Far | None = None, **options: Any) -> Iterator[FarMux]:
    driver = FarDriver(far or usb_lab().far, "usb.usb_sd_mux:UsbSdMux", off_time=0.001, **options)
    driver.open()
    try:
        yield FarMux(driver)
    finally:
        driver.close()


def plug(usb_bus: UsbBus, location: str, serial: str, **options: Any) -> None:
    usb_bus.plug(location, "sd_mux", serial=serial, **options)
    usb_bus.plug_generic(location)


def written(usb_bus: UsbBus, location: str) -> list[str]:
    """Return what was written to registers: register and value."""
    return [each.rpartition(": ")[2] for each in usb_bus.log(location) if ": " in each]


def test_the_card_is_without_power_while_it_moves(usb_bus: UsbBus) -> None:
    plug(usb_bus, "1-5", "000000001444", fast=False)
    with usb_sd_mux() as mux:
        mux.switch("dut")
        assert written(usb_bus, "1-5") == ["01 0b", "03 f0", "01 0f", "01 0c"]
        mux.switch("host")
        assert written(usb_bus, "1-5") == ["01 0b", "03 f0", "01 00"]
        mux.switch("off")
        assert written(usb_bus, "1-5") == ["01 0b", "03 f0"]


def test_the_board_keeps_the_card_of_a_unit_that_was_just_plugged_in(usb_bus: UsbBus) -> None:
    plug(usb_bus, "1-5", "00048.00717")
    with usb_sd_mux() as mux:
        assert mux.position() == "dut"
        assert written(usb_bus, "1-5") == []
        mux.switch("host")
        assert written(usb_bus, "1-5") == ["01 09", "03 c0", "01 0e", "03 c0", "01 00"]


def test_commands_are_those_of_the_reader(usb_bus: UsbBus) -> None:
    plug(usb_bus, "1-5", "00048.00717")
    with usb_sd_mux() as mux:
        mux.position()
        assert usb_bus.log("1-5") == ["cf 22 40 41 00 01 01"]


def test_of_two_units_the_serial_says_which_and_another_reader_is_none(usb_bus: UsbBus) -> None:
    plug(usb_bus, "1-5", "A")
    plug(usb_bus, "1-6", "B", fast=False)

    with usb_sd_mux(serial="B") as mux:
        mux.switch("dut")
    assert usb_bus.log("1-5") == []
    with pytest.raises(
        LabError, match=r"2 devices could be this USB-SD-Mux: 1-5 \(serial A\), 1-6 \(serial B\)"
    ):
        usb_sd_mux().__enter__()
    with pytest.raises(Unreachable, match="no USB-SD-Mux with the serial 'C' on USB"):
        usb_sd_mux(serial="C").__enter__()


def test_a_unit_that_does_not_answer_is_not_taken_for_one_at_the_host(usb_bus: UsbBus) -> None:
    plug(usb_bus, "1-5", "A")
    with usb_sd_mux() as mux:
        usb_bus.fault("1-5", silent=1)
        with pytest.raises(Unreachable, match="USB-SD-Mux A did not do a command: host_status 3"):
            mux.position()


def test_a_unit_that_this_user_may_not_open_is_an_error_with_what_helps(usb_bus: UsbBus) -> None:
    plug(usb_bus, "1-5", "A")
    far = Far(usb_bus)
    far.become(65534)
    try:
        with (
            usb_sd_mux(far) as mux,
            pytest.raises(Unreachable, match="no permission for USB-SD-Mux A: /dev/sg"),
        ):
            mux.position()
    finally:
        far.close()
