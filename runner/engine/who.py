"""Who runs this, as others are told."""

from __future__ import annotations

import getpass
import os


def ourselves() -> str:
    """Return who runs this, as user@host, or what ``$RUNNER_WHO`` says (for CI, whose hosts change names)."""
    given = os.environ.get("RUNNER_WHO", "").strip()
    if given:
        return given
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{os.uname().nodename}"
