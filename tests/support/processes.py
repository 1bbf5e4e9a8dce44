"""Processes that a test's own command has started, and no others."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Iterator
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
    return Path(command_line(pid).partition("\0")[0]).name


def command_line(pid: int) -> str:
    """Return what a process was started with, a NUL behind each word; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def kill(pids: Iterable[int]) -> None:
    """Kill processes; some of them may have ended since they were looked for."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def gone(pid: int) -> bool:
    """Tell whether a process has ended, even if nobody has asked how."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] in {"Z", "X"}


def wait_until_gone(pid: int) -> None:
    """Wait until a process has ended, for 30 s at most."""
    end = time.monotonic() + 30
    while not gone(pid):
        assert time.monotonic() < end, f"{pid} is still there"
        time.sleep(0.01)
