"""USB instruments with their real files in /dev: the kernel's own drivers have found and named them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.lab_vm import modprobe
from support.mux_rigs.rig import Muxed
from support.usbip_lab import Bench

from runner.api import LabError, StorageMux, Unreachable
from runner.modules.storage.storage_mux_info import StorageMuxInfo
from runner.modules.usb.attached import attached
from runner.modules.usb.dutlink import Dutlink
from runner.modules.usb.sdwire import Sdwire
from runner.modules.usb.usb_hub import UsbHub, all_hubs
from runner.modules.usb.usb_hub_info import UsbHubInfo

pytestmark = pytest.mark.labvm
PATIENCE = 100.0


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    modprobe("vhci-hcd", "sd_mod", "usb-storage", "cdc_acm")
    bench = Bench()
    with bench.plugged():
        until(lambda: len(attached([(0x04E8, 0x6001), (0x0424, 0x4050), (0x2B23, 0x1012)])) == 3)
        yield bench


def until(holds: Callable[[], bool]) -> None:
    limit = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < limit
        time.sleep(0.05)


def has_medium(mux: StorageMux) -> bool:
    try:
        return mux.medium().startswith("/dev/sd")
    except Unreachable:
        return False


def test_the_card_behind_an_sdwire_comes_and_goes_with_its_position(bench: Bench) -> None:
    bench.card.data[:5] = b"hello"
    driver = Sdwire()
    driver.open()
    try:
        driver.switch("host")
        until(lambda: has_medium(driver))
        with Path(driver.medium()).open("rb") as card:
            assert card.read(5) == b"hello"
        info = StorageMuxInfo(mux=driver).run(Muxed())
        assert (info.position, info.card_size) == ("host", 4 << 20)

        driver.switch("dut")
        until(lambda: not has_medium(driver))
        assert driver.position() == "dut"
    finally:
        driver.close()


def test_what_is_written_to_the_block_device_is_on_the_card(bench: Bench) -> None:
    driver = Sdwire(serial="sdw-07")
    driver.open()
    try:
        driver.switch("host")
        until(lambda: has_medium(driver))
        descriptor = os.open(driver.medium(), os.O_WRONLY)
        os.pwrite(descriptor, b"written".ljust(512), 1024)
        os.fsync(descriptor)
        os.close(descriptor)
        assert bytes(bench.card.data[1024:1031]) == b"written"
    finally:
        driver.switch("dut")
        driver.close()


def test_a_dutlink_finds_its_own_tty_and_its_console_talks(bench: Bench) -> None:
    driver = Dutlink(serial="dl-1")
    driver.open()
    try:
        until(lambda: driver.about()["tty"].startswith("/dev/ttyACM"))
        assert driver.about()["version"] == "1.2"
        stream = driver.console().connect()
        stream.write(b"ping")
        heard = bytearray()
        until(lambda: heard.extend(stream.read(1.0)) or bytes(heard) == b"ping")
        stream.close()
    finally:
        driver.close()


def test_its_power_and_its_mux_are_switched_beside_the_console(bench: Bench) -> None:
    driver = Dutlink()
    driver.open()
    try:
        stream = driver.console().connect()
        driver.power().on()
        driver.storage().switch("host")
        reading = driver.power().read()
        stream.close()
    finally:
        driver.close()

    assert (bench.dutlink.power, bench.dutlink.mux, reading.power) == ("on", "host", 6.0)


def test_ports_of_the_kernels_own_hub_are_switched(bench: Bench) -> None:
    found = next(each for each in all_hubs() if each.generation < 3 and "vhci" in str(each.folder.resolve()))
    driver = UsbHub(location=found.location, port=8)
    driver.open()
    try:
        driver.off()
        assert driver.state() == "off"
        driver.on()
        assert driver.state() == "on"
    finally:
        driver.close()
    info = UsbHubInfo(location=found.location).run(Muxed())
    assert [port.connected for port in info.hubs[0].ports][:3] == [True, True, True]


def test_an_instrument_that_is_unplugged_is_unreachable(bench: Bench) -> None:
    driver = Sdwire()
    driver.open()
    try:
        subprocess.run(["usbip", "detach", "-p", "0"], check=True)
        until(lambda: not attached([(0x04E8, 0x6001)]))
        with pytest.raises(Unreachable, match="SDWire sdw-07 has gone from USB"):
            driver.position()
    finally:
        driver.close()
    with pytest.raises(LabError, match="no SDWire on USB"):
        Sdwire().open()
