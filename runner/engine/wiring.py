"""Which device of its bench a device works through: ``engine: {driver: isotp, bus: can0}``."""

from __future__ import annotations

from collections.abc import Mapping

from runner.agent.paths import resolved
from runner.declaration import Slot
from runner.document import Scalar
from runner.errors import Faults
from runner.model import Bench, Device
from runner.recipe.devices import Problem, named, offers

Wires = Mapping[str, str | None]


def wired(bench: Bench, faults: Faults) -> dict[str, Wires]:
    """Return for each device of a bench the path that each slot of its driver gets.

    A slot that is left out gets None when it is optional, and otherwise the only device of the
    bench that fits, apart from the device itself. Notes what cannot be filled, and circles.
    """
    found = {name: _slots(device, bench, faults) for name, device in bench.devices.items() if device.driver}
    _refuse_circles(bench, found, faults)
    return found


def _slots(device: Device, bench: Bench, faults: Faults) -> Wires:
    paths: dict[str, str | None] = {}
    for slot in device.driver.slots if device.driver else ():
        node = device.devices.get(slot.name)
        path = _path(slot, node, device, bench)
        if isinstance(path, Problem):
            message = f"device {device.name!r}: {path.message}"
            faults.add(path.code, message, at=node.at if node else device.at, hint=path.hint)
        else:
            paths[slot.name] = path
    return paths


def _path(slot: Slot, node: Scalar | None, device: Device, bench: Bench) -> str | Problem | None:
    if node is not None:
        return named(node.text, slot.interface, bench)
    if slot.optional:
        return None
    fitting = [path for path in offers(bench, slot.interface) if path.partition(".")[0] != device.name]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        hint = f"add one, and name it with {slot.name}: …"
        return Problem("E271", f"bench {bench.name!r} has no other device that offers {slot.interface}", hint)
    choices = " or ".join(f"{slot.name}: {path}" for path in fitting)
    message = f"bench {bench.name!r} has {len(fitting)} devices that offer {slot.interface}"
    return Problem("E272", message, f"say which: {choices}")


def _refuse_circles(bench: Bench, found: Mapping[str, Wires], faults: Faults) -> None:
    aliases = {name: device.ref for name, device in bench.devices.items() if device.ref}
    through = {
        name: [resolved(path, aliases).partition(".")[0] for path in wires.values() if path]
        for name, wires in found.items()
    }
    for name in through:
        way = _way_back(name, name, through, frozenset())
        if way and name == min(way):
            drawn = " → ".join((*way, name))
            at = bench.devices[name].at
            faults.add("E413", f"devices work through one another in a circle: {drawn}", at=at)


def _way_back(
    start: str, name: str, through: Mapping[str, list[str]], seen: frozenset[str]
) -> tuple[str, ...]:
    """Return the devices on the way from `name` back to `start`, `name` first; empty when there is none."""
    for each in through[name]:
        if each == start:
            return (name,)
        way = () if each in seen else _way_back(start, each, through, seen | {each})
        if way:
            return (name, *way)
    return ()
