"""Devices of a bench: drivers with their options, aliases, and what they offer."""

from __future__ import annotations

from collections.abc import Mapping

from runner.document import Entry, MapNode, Node, Scalar
from runner.errors import Faults, did_you_mean
from runner.model import Device
from runner.registry import Registry
from runner.schema import bind


def read_devices(node: Node | None, bench: str, registry: Registry, faults: Faults) -> dict[str, Device]:
    """Read ``devices:`` of a bench and check its references."""
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return {}
    if not isinstance(node, MapNode):
        faults.add("E440", f"devices of bench {bench!r} is a mapping of names", at=node.at)
        return {}
    devices = {entry.key.text: device for entry in node if (device := _device(entry, registry, faults))}
    for device in devices.values():
        if device.ref:
            _check_reference(device, devices, faults)
    return devices


def _device(entry: Entry, registry: Registry, faults: Faults) -> Device | None:
    name, node = entry.key.text, entry.value
    if not isinstance(node, MapNode):
        faults.add("E440", f"device {name!r} is a mapping with driver: or ref:", at=node.at)
        return None
    ref, driver = node.get("ref"), node.get("driver")
    if isinstance(ref, Scalar):
        others = [each.key for each in node if each.key.text != "ref"]
        for key in others:
            faults.add("E441", f"an alias has no key {key.text!r}: only ref", at=key.at)
        return Device(name=name, at=entry.key.at, ref=ref.text)
    if not isinstance(driver, Scalar):
        faults.add("E442", f"device {name!r} needs driver: or ref:", at=entry.key.at)
        return None
    kind = registry.driver(driver.text)
    if kind is None:
        hint = did_you_mean(driver.text, registry.driver_names()) or "runner list drivers"
        faults.add("E443", f"no driver {driver.text!r}", at=driver.at, hint=hint)
        return None
    bound = bind(
        kind.parameters, node, faults, owner=f"driver {kind.name!r}", at=entry.key.at, extra=("driver",)
    )
    return Device(name=name, at=entry.key.at, driver=kind, options=bound)


def _check_reference(device: Device, devices: Mapping[str, Device], faults: Faults) -> None:
    seen = [device.name]
    current = device
    while current.ref:
        name, _, part = current.ref.partition(".")
        target = devices.get(name)
        if target is None:
            hint = did_you_mean(name, devices)
            faults.add(
                "E444",
                f"device {device.name!r} refers to {current.ref!r}, and there is no {name!r}",
                at=device.at,
                hint=hint,
            )
            return
        if name in seen:
            faults.add(
                "E445", f"device {device.name!r} refers to itself: {' → '.join((*seen, name))}", at=device.at
            )
            return
        if part and target.driver is not None and part not in target.driver.children:
            parts = ", ".join(sorted(target.driver.children)) or "none"
            faults.add("E446", f"{name!r} has no part {part!r}", at=device.at, hint=f"its parts: {parts}")
            return
        seen.append(name)
        current = target
