"""Processes that a test's own command has started, and no others."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path


def descendants(pid: int) -> Iterator[int]:
    """Return the processes below one, as /proc knows them (proc(5), /proc/pid/stat)."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    waiting = [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        waiting += below
        yield from below


def named(pid: int, beginning: str) -> list[int]:
    """Return the processes below one whose program's name begins so."""
    return [each for each in descendants(pid) if _program(each).startswith(beginning)]


def _program(pid: int) -> str:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return Path(command.split(b"\0")[0].decode("utf-8", "replace")).name


def gone(pid: int) -> bool:
    """Tell whether a process has ended, even if nobody has asked how."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").split(")")[1].split()[0] == "Z"


def wait_until_gone(pid: int) -> None:
    """Wait until a process has ended, for 30 s at most."""
    end = time.monotonic() + 30
    while not gone(pid):
        assert time.monotonic() < end, f"{pid} is still there"
        time.sleep(0.01)
