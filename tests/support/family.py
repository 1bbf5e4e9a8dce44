"""The processes that a command has started."""

from __future__ import annotations

import os
import signal
from pathlib import Path


def descendants(pid: int) -> set[int]:
    """Return the processes that a process has started, and those that they have."""
    parents = {int(path.name): _parent(path) for path in Path("/proc").iterdir() if path.name.isdigit()}
    found: set[int] = set()
    young = {pid}
    while young := {child for child, parent in parents.items() if parent in young} - found:
        found |= young
    return found


def kill_by_name(pid: int, name: str) -> bool:
    """Kill those descendants of a process whose program has this name; tell whether there was one."""
    named = [each for each in descendants(pid) if _name(each).startswith(name[:15])]
    for each in named:
        os.kill(each, signal.SIGKILL)
    return bool(named)


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""
