"""Values inside JSON by their path, as ``relays[0].ison``."""

from __future__ import annotations

import re
from typing import Any

_STEP = re.compile(r"(?:^|\.)([^.\[\]]+)|\[(\d+)\]")
ABSENT = object()
"""There is nothing at that path."""


def value_at(document: Any, path: str) -> Any:
    """Return the value at a path, or ABSENT; an empty path is the whole document.

    Raise ValueError for a path that cannot be read.

    >>> value_at({"relays": [{"ison": True}]}, "relays[0].ison")
    True
    """
    found = document
    for step in _steps(path):
        if isinstance(step, int):
            found = found[step] if isinstance(found, list) and step < len(found) else ABSENT
        else:
            found = found[step] if isinstance(found, dict) and step in found else ABSENT
        if found is ABSENT:
            return ABSENT
    return found


def _steps(path: str) -> list[str | int]:
    steps: list[str | int] = []
    at = 0
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None:
            raise ValueError(f"{path!r} is no path into JSON: write relays[0].ison")
        steps.append(found[1] if found[1] is not None else int(found[2]))
        at = found.end()
    return steps
