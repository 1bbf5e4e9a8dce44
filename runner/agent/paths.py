"""Paths of devices: ``board.console``, and the aliases that stand for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from runner.api.verdicts import RecipeFault


def resolved(path: str, aliases: Mapping[str, str]) -> str:
    """Follow aliases: ``console`` may stand for ``board.console``; raise RecipeFault for a circle."""
    seen: set[str] = set()
    head, dot, rest = path.partition(".")
    while head in aliases:
        if head in seen:
            raise RecipeFault(f"device {path!r} is an alias of itself")
        seen.add(head)
        head, dot, rest = f"{aliases[head]}{dot}{rest}".partition(".")
    return f"{head}{dot}{rest}"


def paths_in(devices: Mapping[str, Any]) -> Iterator[str]:
    """Return every device path in the slots of a Run."""
    for value in devices.values():
        if isinstance(value, str):
            yield value
        elif value is not None:
            yield from value
