"""Devices that work through other devices of their bench."""

from __future__ import annotations

import dataclasses

import pytest
from support.benches import bench, driver, node

from runner.declaration import DriverType, Slot
from runner.document import Scalar
from runner.engine.wiring import wired
from runner.errors import Faults, InputError
from runner.model import Bench


def through(interface: str, *, slot: str = "bus", optional: bool = False, offers: str = "Tp") -> DriverType:
    """Make a driver that works through a device with that interface."""
    slots = (Slot(name=slot, interface=interface, optional=optional),)
    return dataclasses.replace(driver(offers), slots=slots)


def written(made: Bench, **names: str) -> Bench:
    """Say in the inventory which bus some devices work through."""
    devices = {
        name: dataclasses.replace(device, devices={"bus": _scalar(names[name])}) if name in names else device
        for name, device in made.devices.items()
    }
    return dataclasses.replace(made, devices=devices)


def _scalar(text: str) -> Scalar:
    found = node(text)
    assert isinstance(found, Scalar)
    return found


def told(made: Bench) -> list[tuple[str, str, str]]:
    faults = Faults()
    wired(made, faults)
    if not faults:
        return []
    with pytest.raises(InputError) as raised:
        faults.raise_if_any()
    return [(fault.code, fault.message, fault.hint) for fault in raised.value.faults]


def test_a_device_gets_the_one_that_is_named_through_aliases_and_parts() -> None:
    made = bench(
        devices={
            "a": driver("CanBus"),
            "b": driver(children={"can": "CanBus"}),
            "x": "b",
            "tp": through("CanBus"),
        }
    )
    faults = Faults()

    assert wired(written(made, tp="x"), faults)["tp"] == {"bus": "b.can"}
    assert wired(written(made, tp="a"), faults)["tp"] == {"bus": "a"}
    assert not faults


def test_a_device_that_names_none_gets_the_only_other_one_and_an_optional_slot_stays_empty() -> None:
    both = {"a": driver("CanBus"), "tp": through("CanBus"), "ecu": through("CanBus", optional=True)}

    found = wired(bench(devices=both), Faults())

    assert found["tp"] == {"bus": "a"}
    assert found["ecu"] == {"bus": None}


def test_what_cannot_be_wired_is_told_with_what_to_do() -> None:
    several = bench(devices={"a": driver("CanBus"), "b": driver("CanBus"), "tp": through("CanBus")})
    alone = bench(devices={"tp": through("CanBus", offers="CanBus")})

    assert told(several) == [
        (
            "E272",
            "device 'tp': bench 'b1' has 2 devices that offer CanBus",
            "say which: bus: a or bus: b",
        )
    ]
    assert told(alone) == [
        (
            "E271",
            "device 'tp': bench 'b1' has no other device that offers CanBus",
            "add one, and name it with bus: …",
        )
    ]
    assert told(written(several, tp="c"))[0][:2] == ("E273", "device 'tp': bench 'b1' has no device 'c'")


def test_devices_that_work_through_one_another_are_refused_once() -> None:
    pair = {"one": through("CanBus", offers="CanBus"), "two": through("CanBus", offers="CanBus")}
    itself = written(bench(devices={"one": pair["one"], "spare": driver("CanBus")}), one="one")

    assert told(bench(devices=pair)) == [
        ("E413", "devices work through one another in a circle: one → two → one", "")
    ]
    assert told(itself) == [("E413", "devices work through one another in a circle: one → one", "")]
