"""Reads the parts that every piece of an inventory is made of: mappings with known keys, text, names.

What is wrong is noted in `faults`; the reader then returns something empty, and reading goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from runner.document import ListNode, MapNode, Node, Scalar
from runner.errors import Faults, Location, did_you_mean
from runner.inventory.words import FOREIGN, RESERVED

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_DEVICE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = frozenset({"all", "in", "not", "and", "or"})


def mapping(node: Node | None, what: str, faults: Faults) -> MapNode | None:
    """Read a mapping; nothing written is none, without a fault."""
    if isinstance(node, MapNode) or node is None or is_nothing(node):
        return node if isinstance(node, MapNode) else None
    wrong_kind(node, what, "a mapping", faults)
    return None


def is_nothing(node: Node) -> bool:
    """Tell whether a key has no value."""
    return isinstance(node, Scalar) and node.value is None


def known_keys(node: MapNode, keys: Sequence[str], owner: str, faults: Faults) -> None:
    """Note every key that `owner` (``a bench``) does not have."""
    for entry in node:
        name = entry.key.text
        if name not in keys:
            near = did_you_mean(name, keys)
            hint = near or FOREIGN.get(name) or f"{owner} has: {', '.join(keys)}"
            faults.add("E403", f"{owner} has no key {name!r}", at=entry.key.at, hint=hint)


def wrong_kind(node: Node, what: str, wanted: str, faults: Faults, *, hint: str = "") -> None:
    """Note that `what` is not `wanted` (``a mapping``)."""
    faults.add("E402", f"{what} must be {wanted}, got {seen(node)}", at=node.at, hint=hint)


def seen(node: Node) -> str:
    """Say in a message what stands there."""
    match node:
        case MapNode():
            return "a mapping"
        case ListNode():
            return "a list"
        case Scalar(secret=True):
            return "a secret"
        case Scalar(value=None):
            return "nothing"
        case Scalar(text=text):
            return repr(text)


def text(node: Node, what: str, faults: Faults) -> str:
    """Read text that must be known before anything runs."""
    if not isinstance(node, Scalar) or node.value is None:
        wrong_kind(node, what, "text", faults)
        return ""
    if node.templated:
        hint = f"write {what} out; names of many benches are written as a range: rpi4-[01:04]"
        faults.add("E418", f"{what} cannot hold a template", at=node.at, hint=hint)
        return ""
    return node.text


def texts(node: Node | None, what: str, faults: Faults) -> Iterator[tuple[str, Location]]:
    """Read one text or a list of them, with their places."""
    if node is None or is_nothing(node):
        return
    for item in node if isinstance(node, ListNode) else (node,):
        found = text(item, what, faults)
        if found:
            yield found, item.at


def check_name(name: str, kind: str, at: Location, faults: Faults) -> bool:
    """Note a fault when a bench, host or group cannot have this name."""
    if _NAME.fullmatch(name) and name not in _WORDS:
        return True
    why = "it means something in patterns" if name in _WORDS else "use letters, digits, _ . and -"
    faults.add("E405", f"{name!r} cannot be the name of a {kind}", at=at, hint=why)
    return False


def check_device_name(key: Scalar, faults: Faults) -> None:
    """Note a fault when a device cannot have this name."""
    if not _DEVICE.fullmatch(key.text):
        hint = "use letters, digits, _ and -; a dot leads to a part of a device"
        faults.add("E405", f"{key.text!r} cannot be the name of a device", at=key.at, hint=hint)


def check_variable_name(key: Scalar, faults: Faults) -> None:
    """Note a fault when a variable cannot have this name."""
    if not _VARIABLE.fullmatch(key.text):
        fixed = re.sub(r"\W", "_", key.text)
        hint = f"write {fixed}" if _VARIABLE.fullmatch(fixed) else "use letters, digits and _"
        faults.add("E405", f"{key.text!r} cannot be the name of a variable", at=key.at, hint=hint)
    elif key.text in RESERVED:
        hint = f"choose another name, such as my_{key.text}"
        faults.add(
            "E405", f"{key.text!r} cannot be the name of a variable: it is built in", at=key.at, hint=hint
        )
