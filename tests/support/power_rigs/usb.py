"""Switches on USB, as rigs of the contract: played devices behind the real libusb."""

from __future__ import annotations

from typing import Any

import pytest
from support.power_rigs.rig import Opener, Rig
from support.usb_lab import FarDriver, FarPower, usb_lab


def ykush(_request: pytest.FixtureRequest, opened: Opener) -> Rig:
    lab = usb_lab()
    lab.bus.clear()
    lab.bus.plug("1-2", "ykush", serial="YK1")
    driver = FarDriver(lab.far, "usb.ykush:Ykush", port=2, limit=0.2)
    opened(driver)
    return _rig(FarPower(driver), "YKUSH YK1 port 2", "1-2", stick={"stuck": 1}, refuse={"refuse": 1})


def usb_hub(_request: pytest.FixtureRequest, opened: Opener) -> Rig:
    lab = usb_lab()
    lab.bus.clear()
    lab.bus.plug("1-1.4", "hub")
    driver = FarDriver(lab.far, "usb.usb_hub:UsbHub", location="1-1.4", port=2, limit=0.2)
    opened(driver)
    bus = lab.bus
    return Rig(
        power=FarPower(driver),
        named="hub 1-1.4 port 2",
        stick=lambda: bus.fault("1-1.4", stuck=1),
        refuse=lambda: bus.fault("1-1.4", refuse=1),
        stall=lambda: bus.fault("1-1.4", silent=1),
        vanish=lambda: bus.ask("vanish", location="1-1.4"),
    )


def dutlink(_request: pytest.FixtureRequest, opened: Opener) -> Rig:
    lab = usb_lab()
    lab.bus.clear()
    lab.bus.plug("1-3", "dutlink", serial="dl-1")
    driver = FarDriver(lab.far, "usb.dutlink:Dutlink", limit=0.2)
    opened(driver)
    power = FarPower(driver, "power.")
    bus = lab.bus
    return Rig(
        power=power,
        readable=False,
        named="DUTLink dl-1",
        refuse=lambda: bus.fault("1-3", stall=1),
        stall=lambda: bus.fault("1-3", silent=1),
        vanish=lambda: bus.ask("vanish", location="1-3"),
    )


def _rig(power: FarPower, named: str, at: str, *, stick: dict[str, Any], refuse: dict[str, Any]) -> Rig:
    bus = usb_lab().bus
    return Rig(
        power=power,
        named=named,
        stick=lambda: bus.fault(at, **stick),
        refuse=lambda: bus.fault(at, **refuse),
        stall=lambda: bus.fault(at, mute=1),
        vanish=lambda: bus.ask("vanish", location=at),
    )
