"""The driver of YKUSH hubs: pyusb and libusb are real, the hubs are played to the byte."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Thread
from typing import Any

import pytest
from support.usb_lab import Far, FarDriver, FarPower, UsbBus, usb_lab

from runner.api import LabError, RecipeFault, Unreachable, Unsupported

pytestmark = pytest.mark.peer("umockdev")


PATIENT = 60.0


def be_patient(power: FarPower) -> None:
    """Give the hub all the time that a slow machine may need; a limit in a message is then another."""
    power._driver.call("_hub._device.__setattr__", "_limit", PATIENT)


@contextmanager
def ykush(far: Far | None = None, **options: Any) -> Iterator[FarPower]:
    driver = FarDriver(far or usb_lab().far, "usb.ykush:Ykush", **options)
    driver.open()
    try:
        yield FarPower(driver)
    finally:
        driver.close()


def test_a_command_is_one_byte_of_a_report_and_the_kernel_driver_is_sent_away_first(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-2", "ykush", serial="YK1")
    with ykush(port=3) as power:
        power.on()
        assert power.state() == "on"
        power.off()

    assert usb_bus.log("1-2") == [
        *("usbhid sent away", "claimed", "64 bytes: 13", "released"),
        *("claimed", "64 bytes: 23", "released"),
        *("claimed", "64 bytes: 03", "released"),
    ]


def test_all_ports_are_switched_at_once_and_read_one_by_one(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-2", "ykush", serial="YK1")
    with ykush() as power, ykush(port=2) as second:
        power.on()
        assert power.state() == "on"
        second.off()
        assert power.state() is None

    sent = [each for each in usb_bus.log("1-2") if "bytes" in each]
    assert [each.partition(": ")[2] for each in sent] == ["1a", "21", "22", "23", "02", "21", "22", "23"]


@pytest.mark.parametrize(("product", "length"), [(0x0042, 8), (0xF0CD, 64), (0xF11B, 64)])
def test_every_kind_of_hub_is_known(usb_bus: UsbBus, product: int, length: int) -> None:
    usb_bus.plug("1-2", "ykush", serial="YK1", product=product)
    with ykush(port=1) as power:
        power.on()
        assert power.state() == "on"

    assert f"{length} bytes: 11" in usb_bus.log("1-2")


def test_a_hub_with_one_port_has_no_second(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-2", "ykush", serial="YK1", product=0xF0CD)

    with pytest.raises(RecipeFault, match=r"YKUSH XS 1-2 \(serial YK1\) has 1 port, and no port 2"):
        ykush(port=2).__enter__()


def test_of_two_hubs_the_serial_says_which_and_without_it_the_error_lists_them(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-2", "ykush", serial="YK1")
    usb_bus.plug("1-3", "ykush", serial="YK2")

    with ykush(serial="YK2", port=1) as power:
        power.on()
    assert "64 bytes: 11" in usb_bus.log("1-3")
    assert usb_bus.log("1-2") == []
    with pytest.raises(
        LabError, match=r"2 devices could be this YKUSH hub: 1-2 \(serial YK1\), 1-3 \(serial YK2\)"
    ):
        ykush().__enter__()
    with pytest.raises(
        Unreachable, match=r"no YKUSH hub with the serial 'YK3' on USB; there is 1-2 \(serial YK1\)"
    ):
        ykush(serial="YK3").__enter__()


def test_a_hub_that_is_not_there_is_unreachable(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-2", "ykush", serial="YK1")
    usb_bus.unplug("1-2")

    with pytest.raises(Unreachable, match="no YKUSH hub on USB$"):
        ykush().__enter__()


def test_a_hub_that_this_user_may_not_open_is_an_error_with_the_rule_that_helps(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-2", "ykush", serial="YK1", mode=0o600)
    far = Far(usb_bus)
    far.become(65534)
    try:
        with pytest.raises(Unreachable, match="no permission for YKUSH YK1: /dev/bus/usb/001/") as caught:
            ykush(far).__enter__()
    finally:
        far.close()

    assert 'ATTR{idVendor}=="04d8", ATTR{idProduct}=="f2f7"' in caught.value.hint


@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        ({"mute": 1}, Unreachable, "YKUSH YK1 did not answer within 100ms"),
        ({"stall": 1}, Unsupported, "YKUSH YK1 refused to take a report: it stalled"),
        ({"busy": 1}, LabError, "YKUSH YK1 is used by another program"),
        ({"wrong": "ff"}, LabError, "YKUSH YK1 answered command 0x21 with ff 00 00"),
        ({"wrong": "0112"}, LabError, "YKUSH YK1 answered the state of port 1 with 01 12 00"),
    ],
)
def test_what_goes_wrong_is_one_clear_error(
    usb_bus: UsbBus, fault: dict[str, Any], kind: type[LabError], message: str
) -> None:
    usb_bus.plug("1-2", "ykush", serial="YK1")
    with ykush(port=1, limit=0.1 if "mute" in fault else PATIENT) as power:
        usb_bus.fault("1-2", **fault)
        with pytest.raises(kind, match=message):
            power.state()
        usb_bus.fault("1-2")
        be_patient(power)
        assert power.state() == "off"


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-2", "ykush", serial="YK1")
    with ykush(port=1, limit=0.1) as power:
        usb_bus.fault("1-2", late=1)
        with pytest.raises(Unreachable):
            power.on()
        usb_bus.fault("1-2")
        usb_bus.ask("say_late", location="1-2")
        be_patient(power)
        assert power.state() == "on"


def test_a_hub_that_goes_is_unreachable_from_then_on(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-2", "ykush", serial="YK1")
    with ykush(port=1) as power:
        power.on()
        usb_bus.ask("vanish", location="1-2")
        with pytest.raises(Unreachable, match="YKUSH YK1 has gone from USB"):
            power.off()


def test_two_benches_that_use_one_hub_take_turns(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-2", "ykush", serial="YK1")
    with ExitStack() as stack:
        others = [Far(usb_bus), Far(usb_bus)]
        for each in others:
            stack.callback(each.close)
        powers = [stack.enter_context(ykush(each, port=number)) for number, each in enumerate(others, 1)]
        failed: list[BaseException] = []

        def switch(power: FarPower) -> None:
            try:
                for _ in range(30):
                    power.on()
                    assert power.state() == "on"
                    power.off()
            except (AssertionError, LabError) as error:
                failed.append(error)

        threads = [Thread(target=switch, args=(each,)) for each in powers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert failed == []


def test_a_hub_that_another_keeps_is_an_error_after_the_limit(usb_bus: UsbBus) -> None:
    usb_bus.plug("1-2", "ykush", serial="YK1")
    with (
        ykush(port=1, busy_limit=0.1) as power,
        usb_bus.locked("1-2"),
        pytest.raises(LabError, match="YKUSH YK1 is kept by another bench or program for more than 100ms"),
    ):
        power.on()
