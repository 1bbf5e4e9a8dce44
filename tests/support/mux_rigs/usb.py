"""Muxes on USB, as rigs of the contract: played devices behind the real libusb."""

from __future__ import annotations

from typing import Any

import pytest
from support.mux_rigs.rig import Opener, Rig
from support.usb_lab import FarDriver, FarMux, usb_lab

from runner.api import MuxPosition


def sdwire(_request: pytest.FixtureRequest, opened: Opener) -> Rig:
    lab = usb_lab()
    lab.bus.clear()
    lab.bus.plug("1-1.2", "sdwire", serial="sdw-07")
    lab.bus.plug_disk("1-1.1", "sda", of="1-1.2")
    driver = FarDriver(lab.far, "usb.sdwire:Sdwire", limit=0.2)
    opened(driver)
    return _rig(FarMux(driver), "SDWire sdw-07", "1-1.2", ("host", "dut"), stick={"stuck": 1})


def usb_sd_mux(_request: pytest.FixtureRequest, opened: Opener) -> Rig:
    return _sd_mux(opened, fast=True)


def usb_sd_mux_classic(_request: pytest.FixtureRequest, opened: Opener) -> Rig:
    return _sd_mux(opened, fast=False)


def _sd_mux(opened: Opener, *, fast: bool) -> Rig:
    lab = usb_lab()
    lab.bus.clear()
    lab.bus.plug("1-5", "sd_mux", serial="00048.00717", fast=fast)
    lab.bus.plug_generic("1-5")
    lab.bus.plug_disk("1-5", "sda", of="1-5")
    driver = FarDriver(lab.far, "usb.usb_sd_mux:UsbSdMux", off_time=0.001)
    opened(driver)
    mux = FarMux(driver)
    return _rig(mux, "USB-SD-Mux 00048.00717", "1-5", ("host", "dut", "off"), stick={"stuck": 1})


def dutlink(_request: pytest.FixtureRequest, opened: Opener) -> Rig:
    lab = usb_lab()
    lab.bus.clear()
    lab.bus.plug("1-3", "dutlink", serial="dl-1")
    lab.bus.plug_disk("1-4", "sda", of="1-3")
    driver = FarDriver(lab.far, "usb.dutlink:Dutlink", limit=0.2, storage_device="/dev/sda")
    opened(driver)
    mux = FarMux(driver, "storage.")
    return _rig(mux, "DUTLink dl-1", "1-3", ("host", "dut", "off"), readable=False)


def _rig(mux: FarMux, named: str, at: str, positions: tuple[MuxPosition, ...], **more: Any) -> Rig:
    bus = usb_lab().bus
    stick = more.pop("stick", None)
    return Rig(
        mux=mux,
        named=named,
        positions=positions,
        stick=(lambda: bus.fault(at, **stick)) if stick else None,
        refuse=lambda: bus.fault(at, stall=1),
        stall=lambda: bus.fault(at, silent=1),
        vanish=lambda: bus.ask("vanish", location=at),
        **more,
    )
