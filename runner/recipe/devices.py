"""Which device of a bench a module gets for each of its slots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from runner.declaration import Slot
from runner.document import ListNode, Node, Scalar
from runner.errors import Fault, InputError, Location, did_you_mean
from runner.model import Bench, Use
from runner.recipe.fields import inside
from runner.recipe.uses import device_keys

ANY = "Interface"
"""What a slot wants that takes any device."""
Path = str | tuple[str, ...] | None


def resolve_devices(use: Use, bench: Bench, asked: Mapping[str, object] | None = None) -> Mapping[str, Path]:
    """Return for each slot the path of a device (``board.power``), all of them, or None.

    `asked` holds the rendered values of `use.devices` when they are templates. Raises
    InputError with one fault for each slot that cannot be filled.
    """
    paths, faults = survey_devices(use, bench, asked)
    if faults:
        raise InputError(faults)
    return paths


def survey_devices(
    use: Use, bench: Bench, asked: Mapping[str, object] | None = None
) -> tuple[dict[str, Path], list[Fault]]:
    """Return what can be found, and the faults; a template without a value is passed over."""
    paths: dict[str, Path] = {}
    faults: list[Fault] = []
    for slot in use.verb.slots:
        key = _key(slot, use)
        node = use.devices.get(key)
        wish = asked.get(key) if asked is not None and node is not None else _written(node)
        if node is not None and wish is None:
            continue
        found = _filled(slot, wish, bench, "device" if "device" in device_keys(use.verb) else slot.name)
        if isinstance(found, Problem):
            faults.append(found.fault(use.verb.name, _place(node)))
        else:
            paths[slot.name] = found
    return paths, faults


class Problem:
    """Why a slot cannot be filled."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        """Hold the words of the fault."""
        self.code = code
        self.message = message
        self.hint = hint

    def fault(self, owner: str, at: Location | None = None) -> Fault:
        """Say it of what wants the device, where it stands."""
        return Fault(code=self.code, message=f"{owner}: {self.message}", at=at, hint=self.hint)


def _key(slot: Slot, use: Use) -> str:
    if slot.name not in use.devices and "device" in use.devices and not slot.every:
        return "device"
    return slot.name


def _written(node: Node | None) -> object:
    match node:
        case Scalar() if not node.templated:
            return node.value
        case ListNode() if not node.templated:
            return [item.value for item in node.items if isinstance(item, Scalar)]
    return None


def _place(node: Node | None) -> Location | None:
    return inside(node) if isinstance(node, Scalar) else node.at if node is not None else None


def _filled(slot: Slot, wish: object, bench: Bench, key: str) -> Path | Problem:
    if slot.every:
        return _all(slot, wish, bench)
    if wish is not None:
        return named(str(wish), slot.interface, bench)
    candidates = offers(bench, slot.interface)
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        return None if slot.optional else _nothing_offers(slot.interface, bench)
    choices = " or ".join(f"{key}: {path}" for path in candidates)
    return Problem(
        "E272",
        f"bench {bench.name!r} has {len(candidates)} devices that offer {slot.interface}",
        f"say which: {choices}",
    )


def _all(slot: Slot, wish: object, bench: Bench) -> Path | Problem:
    if wish is None:
        return offers(bench, slot.interface)
    wishes: Sequence[object] = wish if isinstance(wish, (list, tuple)) else [wish]
    found: list[str] = []
    for each in wishes:
        path = named(str(each), slot.interface, bench)
        if isinstance(path, Problem):
            return path
        found.append(path)
    return tuple(found)


def offers(bench: Bench, interface: str) -> tuple[str, ...]:
    """Return the paths of everything on a bench that offers an interface, aliases not counted."""
    return tuple(
        path
        for name, device in bench.devices.items()
        if device.driver
        for path in _parts(bench, name, interface)
    )


def console_path(bench: Bench, wish: str) -> str | Problem:
    """Return the path of the console of that name, or of the only one there is when `wish` is empty."""
    if wish:
        return named(wish, "Console", bench)
    candidates = offers(bench, "Console")
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        return _nothing_offers("Console", bench)
    choices = f"name one: {' or '.join(candidates)}"
    return Problem("E272", f"bench {bench.name!r} has {len(candidates)} consoles", choices)


def device_path(interface: str, wish: str, bench: Bench, *, key: str) -> str | Problem:
    """Return the path of the device of that name, or of the only one that offers the interface.

    `key`: what names one where several do.
    """
    if wish:
        return named(wish, interface, bench)
    candidates = offers(bench, interface)
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        return _nothing_offers(interface, bench)
    choices = " or ".join(f"{key} {path}" for path in candidates)
    message = f"bench {bench.name!r} has {len(candidates)} devices that offer {interface}"
    return Problem("E272", message, f"say which: {choices}")


def _parts(bench: Bench, name: str, interface: str) -> tuple[str, ...]:
    driver = bench.devices[name].driver
    if driver is None:
        return ()
    if interface in driver.interfaces or interface == ANY:
        return (name,)
    return tuple(f"{name}.{part}" for part, offered in driver.children.items() if interface in offered)


def named(wish: str, interface: str, bench: Bench) -> str | Problem:
    """Return the path of the device of that name, or of its only part that offers the interface."""
    path = _without_alias(wish, bench)
    name, _, part = path.partition(".")
    device = bench.devices.get(name)
    if device is None or device.driver is None:
        return _unknown(wish, bench)
    if not part:
        return _whole(wish, name, interface, bench)
    if part not in device.driver.children:
        hint = did_you_mean(part, device.driver.children) or f"its parts: {', '.join(device.driver.children)}"
        return Problem("E273", f"device {name!r} of bench {bench.name!r} has no part {part!r}", hint)
    if interface in device.driver.children[part] or interface == ANY:
        return path
    return _lacks(wish, interface, bench)


def _whole(wish: str, name: str, interface: str, bench: Bench) -> str | Problem:
    parts = _parts(bench, name, interface)
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return _lacks(wish, interface, bench)
    return Problem(
        "E272",
        f"{len(parts)} parts of device {wish!r} of bench {bench.name!r} offer {interface}",
        f"say which: {' or '.join(parts)}",
    )


def _without_alias(path: str, bench: Bench) -> str:
    """Follow aliases to the device itself; a circle ends where it began."""
    seen: set[str] = set()
    while path not in seen:
        seen.add(path)
        name, dot, rest = path.partition(".")
        device = bench.devices.get(name)
        if device is None or not device.ref:
            return path
        path = f"{device.ref}{dot}{rest}"
    return path


def _nothing_offers(interface: str, bench: Bench) -> Problem:
    have = ", ".join(f"{name} ({_offered(bench, name)})" for name in bench.devices) or "none"
    return Problem(
        "E271", f"bench {bench.name!r} has no device that offers {interface}", f"its devices: {have}"
    )


def _unknown(wish: str, bench: Bench) -> Problem:
    known = [*bench.devices, *_all_parts(bench)]
    hint = did_you_mean(wish, known) or f"its devices: {', '.join(bench.devices) or 'none'}"
    return Problem("E273", f"bench {bench.name!r} has no device {wish!r}", hint)


def _lacks(wish: str, interface: str, bench: Bench) -> Problem:
    fitting = offers(bench, interface)
    hint = f"these do: {', '.join(fitting)}" if fitting else "no device of this bench does"
    return Problem("E273", f"device {wish!r} of bench {bench.name!r} does not offer {interface}", hint)


def _all_parts(bench: Bench) -> Iterable[str]:
    for name, device in bench.devices.items():
        if device.driver is not None:
            yield from (f"{name}.{part}" for part in device.driver.children)


def _offered(bench: Bench, name: str) -> str:
    device = bench.devices[name]
    if device.driver is None:
        return f"→ {device.ref}"
    own = sorted(device.driver.interfaces)
    parts = [f".{part}" for part in device.driver.children]
    return ", ".join((*own, *parts)) or device.driver.name
