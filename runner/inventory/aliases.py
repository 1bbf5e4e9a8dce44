"""Aliases of devices (``ref: dutlink.power``): each must lead to a device, or to a part of one."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from runner.errors import Faults, did_you_mean
from runner.model import Device


def check_aliases(devices: Mapping[str, Device], broken: Collection[str], faults: Faults) -> None:
    """Note aliases that lead nowhere or in a circle; what leads to a `broken` device is passed over."""
    told: set[str] = set()
    for device in devices.values():
        if device.ref:
            told.update(_follow(device, devices, {*broken, *told}, faults))


def _follow(
    device: Device, devices: Mapping[str, Device], known: Collection[str], faults: Faults
) -> tuple[str, ...]:
    """Follow an alias to its end, or to what is `known` to be wrong; return the names of a circle."""
    way: list[str] = [device.name]
    path = device.ref
    while True:
        name, _, part = path.partition(".")
        if name in known:
            return ()
        if name not in devices:
            hint = did_you_mean(name, devices) or f"its bench has: {', '.join(devices)}"
            faults.add("E412", f"there is no device {name!r} for {device.name!r}", at=device.at, hint=hint)
            return ()
        if name in way:
            return _circle(device, way[way.index(name) :], faults)
        if not devices[name].ref:
            _check_part(device, devices[name], part, faults)
            return ()
        way.append(name)
        path = f"{devices[name].ref}.{part}" if part else devices[name].ref


def _circle(device: Device, names: list[str], faults: Faults) -> tuple[str, ...]:
    drawn = " → ".join((*names, names[0]))
    faults.add("E413", f"aliases lead to one another in a circle: {drawn}", at=device.at)
    return tuple(names)


def _check_part(alias: Device, target: Device, part: str, faults: Faults) -> None:
    parts = target.driver.children if target.driver else {}
    if not part or part in parts:
        return
    has = f"it has: {', '.join(parts)}" if parts else "it has no parts"
    hint = did_you_mean(part, parts) or has
    faults.add(
        "E412", f"device {target.name!r} has no part {part!r} for {alias.name!r}", at=alias.at, hint=hint
    )
