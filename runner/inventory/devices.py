"""Devices of a bench: an instrument with its driver's options, or another name for one."""

from __future__ import annotations

from runner.declaration import DriverType
from runner.document import Entry, MapNode, Node, Scalar
from runner.errors import Faults, InputError, did_you_mean
from runner.inventory.aliases import check_aliases
from runner.inventory.fields import check_device_name, mapping, text, wrong_kind
from runner.misfits import note_misfits
from runner.model import Bound, Device
from runner.registry import Registry
from runner.schema import bind

_KINDS = ("driver", "ref")


class DeviceReader:
    """Reads devices; one that a range of benches shares is read once."""

    def __init__(self, registry: Registry, faults: Faults) -> None:
        """Find drivers in `registry`; note what is wrong in `faults`."""
        self._registry = registry
        self._faults = faults
        self._drivers: dict[str, DriverType | None] = {}
        self._broken: set[str] = set()
        self._read: dict[int, tuple[Entry, Device | None]] = {}

    def read(self, node: Node | None) -> dict[str, Device]:
        """Read the devices of a bench, and check that each alias leads to one of them."""
        written = mapping(node, "devices", self._faults)
        if written is None:
            return {}
        found = {entry.key.text: self._device(entry) for entry in written}
        devices = {name: device for name, device in found.items() if device is not None}
        check_aliases(devices, {name for name, device in found.items() if device is None}, self._faults)
        return devices

    def _device(self, entry: Entry) -> Device | None:
        if id(entry) not in self._read:
            check_device_name(entry.key, self._faults)
            self._read[id(entry)] = (entry, self._made(entry))
        return self._read[id(entry)][1]

    def _made(self, entry: Entry) -> Device | None:
        name, node = entry.key.text, entry.value
        if not isinstance(node, MapNode):
            hint = f"write {name}: {{driver: {node.text}}}" if isinstance(node, Scalar) and node.text else ""
            wrong_kind(node, f"device {name!r}", "a mapping with a driver or ref", self._faults, hint=hint)
            return None
        if node.get("ref") is not None:
            return self._alias(entry, node)
        driver = self._driver(entry, node)
        if driver is None:
            return None
        options = self._options(driver, entry, node)
        devices = self._devices(driver, node)
        return Device(name=name, at=entry.key.at, driver=driver, options=options, devices=devices)

    def _options(self, driver: DriverType, entry: Entry, node: MapNode) -> dict[str, Bound]:
        before, at = len(self._faults), entry.key.at
        extra = ("driver", *(slot.name for slot in driver.slots))
        options = bind(driver.parameters, node, self._faults, owner=driver.name, at=at, extra=extra)
        if len(self._faults) == before:
            note_misfits(driver.cls, driver.parameters, options, self._faults, owner=driver.name, at=at)
        return options

    def _devices(self, driver: DriverType, node: MapNode) -> dict[str, Scalar]:
        """Return the names of the devices that it works through, as they are written."""
        written = {slot.name: node.get(slot.name) for slot in driver.slots}
        return {
            name: given
            for name, given in written.items()
            if given is not None and text(given, name, self._faults) and isinstance(given, Scalar)
        }

    def _alias(self, entry: Entry, node: MapNode) -> Device | None:
        for other in node:
            if other.key.text != "ref":
                hint = "an alias is another name for a device, with the options that stand there"
                self._faults.add(
                    "E411", f"{other.key.text!r} cannot stand beside 'ref'", at=other.key.at, hint=hint
                )
        target = next(each.value for each in node if each.key.text == "ref")
        ref = text(target, "ref", self._faults)
        return Device(name=entry.key.text, at=target.at, ref=ref) if ref else None

    def _driver(self, entry: Entry, node: MapNode) -> DriverType | None:
        given = node.get("driver")
        if given is None:
            near = next((each for each in node.names() if did_you_mean(each, _KINDS)), "")
            hint = did_you_mean(near, _KINDS) or "write driver: NAME ('runner list drivers'), or ref: DEVICE"
            self._faults.add("E411", f"device {entry.key.text!r} has no driver", at=entry.key.at, hint=hint)
            return None
        name = text(given, "driver", self._faults)
        if not name:
            return None
        if name not in self._drivers:
            self._drivers[name] = self._found(name)
        if self._drivers[name] is None and name not in self._broken:
            hint = did_you_mean(name, self._registry.driver_names()) or "'runner list drivers' shows all"
            self._faults.add("E410", f"no driver {name!r}", at=given.at, hint=hint)
        return self._drivers[name]

    def _found(self, name: str) -> DriverType | None:
        try:
            return self._registry.driver(name)
        except InputError as error:
            self._faults.extend(error)
            self._broken.add(name)
            return None
