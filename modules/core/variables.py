"""Variables that recipes may set for programs of a host."""

from __future__ import annotations

import re

_BLOCKED = frozenset({"PATH", "HOME", "PYTHONPATH", "BASH_ENV", "ENV", "IFS", "KUBECONFIG", "SHELLOPTS"})
_BLOCKED_BEGINNINGS = ("LD_", "BASH_FUNC_")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def wrong_variable(name: str) -> str:
    """Say why a recipe may not set a variable; empty when it may.

    >>> wrong_variable("COLOUR"), wrong_variable("1A")
    ('', "'1A' is no name of a variable: those have letters, digits and _, no digit first")
    >>> wrong_variable("LD_PRELOAD")
    "the variable 'LD_PRELOAD' may not be set: it changes which programs run"
    """
    if not _NAME.fullmatch(name):
        return f"{name!r} is no name of a variable: those have letters, digits and _, no digit first"
    if name in _BLOCKED or name.startswith(_BLOCKED_BEGINNINGS):
        return f"the variable {name!r} may not be set: it changes which programs run"
    return ""
