"""Whether a command has been done already, told by a file that it makes or takes away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from runner.api.misfit import Misfit


def unneeded(creates: str, removes: str, exists: Callable[[str], bool]) -> str:
    """Say why a command need not be run; empty when it has to.

    >>> unneeded("/etc/key", "", lambda path: True)
    "'/etc/key' is there already"
    """
    if creates and exists(creates):
        return f"{creates!r} is there already"
    if removes and not exists(removes):
        return f"{removes!r} is not there any more"
    return ""


def unneeded_misfits(given: Mapping[str, Any]) -> Iterable[Misfit]:
    """Refuse two files that would each tell something else."""
    if given.get("creates") and given.get("removes"):
        yield Misfit("removes", "'creates' and 'removes' exclude one another", "leave one of them out")
