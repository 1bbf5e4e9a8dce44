"""Pillow, where it is installed.

It is compiled: no source of it may travel to a host and hide the one that is installed there.
So it is imported by name, which nothing follows (docs/decisions/0008).
"""

from __future__ import annotations

import importlib
from typing import Any

from runner.api.verdicts import Unsupported

_LIBRARY = "PIL"


def pillow(part: str) -> Any:
    """Return a module of Pillow; raise Unsupported where it is not installed."""
    try:
        return importlib.import_module(f"{_LIBRARY}.{part}")
    except ImportError as error:
        raise Unsupported(
            "pictures need Pillow, where the camera is plugged in",
            hint="apt install python3-pil there, or pip install 'hil-runner[video]' on the machine that "
            "runs runner, for its own benches (it is compiled, and cannot travel)",
        ) from error
