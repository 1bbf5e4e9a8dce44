"""The driver of DUTLink boards: pyusb and libusb are real, the board is played to the byte."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from support.command import runner
from support.usb_lab import FarDriver, FarMux, FarPower, UsbBus, usb_lab

from runner.api import LabError, Unreachable, Unsupported

pytestmark = pytest.mark.peer("umockdev")


@contextmanager
def dutlink(**options: Any) -> Iterator[FarDriver]:
    driver = FarDriver(usb_lab().far, "usb.dutlink:Dutlink", **options)
    driver.open()
    try:
        yield driver
    finally:
        driver.close()


def orders(usb_bus: UsbBus, at: str = "1-3") -> list[str]:
    """Return what was ordered: the requests, without claims."""
    return [each for each in usb_bus.log(at) if " " in each]


def test_power_is_switched_by_these_requests_and_every_repeat_is_sent(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-3", "dutlink", serial="dl-1")
    with dutlink() as driver:
        power = FarPower(driver, "power.")
        for order in (
            power.on,
            power.on,
            power.off,
            power.off,
            power.force_off,
            power.force_on,
            power.rescue,
        ):
            order()

    values = [0x1, 0x1, 0x0, 0x0, 0x2, 0x3, 0x4]
    assert orders(usb_bus) == [f"41 01 {value:04x} 0002" for value in values]


def test_the_mux_is_switched_by_these_requests_and_every_repeat_is_sent(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-3", "dutlink", serial="dl-1")
    with dutlink() as driver:
        mux = FarMux(driver, "storage.")
        for position in ("host", "host", "dut", "off"):
            mux.switch(position)
        assert mux.position() is None

    assert orders(usb_bus) == [f"41 02 {value:04x} 0002" for value in (1, 1, 2, 0)]


def test_a_reading_is_prepared_and_then_read(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-3", "dutlink", serial="dl-1")
    with dutlink() as driver:
        reading = FarPower(driver, "power.").read()

    assert orders(usb_bus) == ["41 00 0000 0002", "c1 04 0001 0002"]
    assert (reading.voltage, reading.current, reading.power) == (12.0, 0.5, 6.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [("12.0V", "measures '12.0V', expected V and A"), ("much 0.5A", "'much' is no number of V, A or W")],
)
def test_a_reading_that_nobody_understands_is_an_error(usb_bus: UsbBus, text: str, message: str) -> None:
    usb_bus.plug("1-3", "dutlink", serial="dl-1")
    usb_bus.fault("1-3", text=text.encode().hex())
    with dutlink() as driver, pytest.raises(LabError, match=message):
        FarPower(driver, "power.").read()


def test_what_is_no_text_is_an_error(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-3", "dutlink", serial="dl-1")
    usb_bus.fault("1-3", text="ff00")
    with dutlink() as driver, pytest.raises(LabError, match="answered the text 'version' with ff 00"):
        driver.call("about")


def test_it_says_what_it_is_and_where_its_port_is(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-3", "dutlink", serial="dl-1")
    usb_bus.plug("1-4", "dutlink", serial="dl-2")
    usb_bus.plug_tty("1-3", "ttyACM1", "/dev/null")
    usb_bus.plug_tty("1-4", "ttyACM0", "/dev/null")
    with dutlink(serial="dl-1") as driver:
        about = driver.call("about")

    assert about == {
        "version": "1.2",
        "power": "12.0V 0.5A 6.0W",
        "voltage": "12.0V",
        "current": "0.5A",
        "serial": "dl-1",
        "location": "1-3",
        "tty": "/dev/ttyACM1",
    }


def test_no_port_or_two_are_errors_of_the_console(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-3", "dutlink", serial="dl-1")
    with dutlink() as driver:
        with pytest.raises(Unreachable, match="DUTLink dl-1 has no serial port"):
            driver.call("console.connect")
        usb_bus.plug_tty("1-3", "ttyACM0", "/dev/null")
        usb_bus.plug_tty("1-3", "ttyACM1", "/dev/null")
        with pytest.raises(LabError, match="DUTLink dl-1 has several serial ports: ttyACM0, ttyACM1"):
            driver.call("console.connect")


def test_an_alternate_console_that_does_not_come_is_an_error_and_the_power_is_off_again(
    usb_bus: UsbBus, tmp_path: Path
) -> None:
    usb_bus.plug("1-3", "dutlink", serial="dl-1")
    with (
        dutlink(alternate_console=str(tmp_path / "tty"), alternate_wait=0.1) as driver,
        pytest.raises(Unreachable, match=r"tty' was not there within 100ms of switching the power on"),
    ):
        driver.call("console.connect")

    assert orders(usb_bus) == ["41 01 0001 0002", "41 01 0000 0002"]


def test_another_device_with_its_numbers_and_without_its_interface_is_none(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-3", "sdwire", serial="dl-1", vendor=0x2B23, product=0x1012)

    with pytest.raises(LabError, match="DUTLink dl-1 has no interface ff/01/01: is it one?"):
        dutlink().__enter__()


@pytest.mark.parametrize(
    ("fault", "limit", "kind", "message"),
    [
        ({"silent": 1}, 0.1, Unreachable, "DUTLink dl-1 did not take a request within 100ms"),
        ({"stall": 1}, 60, Unsupported, "DUTLink dl-1 refused to take a request: it stalled"),
    ],
)
def test_what_goes_wrong_is_one_clear_error(
    usb_bus: UsbBus, fault: dict[str, Any], limit: float, kind: type[LabError], message: str
) -> None:
    usb_bus.plug("1-3", "dutlink", serial="dl-1")
    with dutlink(limit=limit) as driver:
        usb_bus.fault("1-3", **fault)
        with pytest.raises(kind, match=message):
            FarPower(driver, "power.").on()


LAB = """
benches:
  desk:
    devices:
      harness:
        driver: dutlink
        storage_device: /dev/sda
        alternate_console: TTY
"""
RECIPE = """
name: A board in its harness
benches: desk
tests:
  - test: everything that the harness has
    steps:
      - power_on: {verify: none}
      - console_send: {text: "hello\n"}
      - expect_console: {pattern: "hello from the board", within: 60s}
      - power_read:
        expect: result.power == 6.0
      - storage_mux: host
      - storage_mux_info:
        expect: result.block_device == '/dev/sda'
      - device_info:
        expect: result.about.version == '1.2'
      - power_off: {verify: none}
"""


def greet(terminal: int) -> None:
    """Answer the first key as a board does."""
    with suppress(OSError):  # the recipe ended before
        os.read(terminal, 1)
        os.write(terminal, b"hello from the board\r\n")


def test_a_recipe_uses_all_its_parts(usb_bus: UsbBus, tmp_path: Path) -> None:
    terminal, behind = os.openpty()
    try:
        tty = f"/proc/{os.getpid()}/fd/{behind}"  # on the played bus, what is in /dev takes no ioctl of a tty
        usb_bus.plug("1-3", "dutlink", serial="dl-1")
        usb_bus.plug_disk("1-4", "sda", of="1-3")
        Thread(target=greet, args=[terminal], daemon=True).start()
        (tmp_path / "lab.yaml").write_text(LAB.replace("TTY", tty), encoding="utf-8")
        (tmp_path / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
        done = runner(
            tmp_path,
            "play",
            "recipe.yaml",
            "-i",
            "lab.yaml",
            RUNNER_LOCKS=str(tmp_path),
            **usb_bus.environment,
        )
    finally:
        os.close(terminal)
        os.close(behind)

    assert done.returncode == 0, done.stdout + done.stderr
    assert [each[3:10] for each in orders(usb_bus) if each.startswith("41") and "41 00" not in each] == [
        *("01 0001", "02 0001", "01 0000"),
    ]
