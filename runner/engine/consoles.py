"""What the consoles of a run have said lately, and where in their logs we are."""

from __future__ import annotations

import threading
import time
from collections import deque

from runner.agent.calls import ConsoleBytes
from runner.result import ConsoleSlice

_KEPT_CHUNKS = 64
_TAIL_BYTES = 4096


class Consoles:
    """Keeps the end of each console's output for messages, and counts its bytes."""

    def __init__(self) -> None:
        """Know of no console yet."""
        self._lock = threading.Lock()
        self._ends: dict[tuple[str, str], int] = {}
        self._recent: dict[tuple[str, str], deque[ConsoleBytes]] = {}

    def hear(self, chunk: ConsoleBytes) -> None:
        """Take note of received bytes."""
        key = (chunk.bench, chunk.device)
        with self._lock:
            self._ends[key] = max(self._ends.get(key, 0), chunk.index + len(chunk.data))
            self._recent.setdefault(key, deque(maxlen=_KEPT_CHUNKS)).append(chunk)

    def positions(self, bench: str) -> dict[str, int]:
        """Return how many bytes each console of a bench has received."""
        with self._lock:
            return {device: end for (owner, device), end in self._ends.items() if owner == bench}

    def slices(self, bench: str, since: dict[str, int]) -> tuple[ConsoleSlice, ...]:
        """Return what each console of a bench received since `positions` gave `since`."""
        return tuple(
            ConsoleSlice(device=device, path=log_path(bench, device), start=since.get(device, 0), end=end)
            for device, end in self.positions(bench).items()
            if end > since.get(device, 0)
        )

    def tail(self, bench: str, lines: int = 8) -> str:
        """Return the last lines of a bench's consoles, each with the time when its part was read."""
        with self._lock:
            recent = {device: list(kept) for (owner, device), kept in self._recent.items() if owner == bench}
        return "\n".join(_stamped(device, kept, lines) for device, kept in recent.items())


def log_path(bench: str, device: str) -> str:
    """Return where a console's raw log is, relative to the run's folder."""
    return f"console/{bench}.{device}.raw"


def _stamped(device: str, chunks: list[ConsoleBytes], lines: int) -> str:
    stamps: list[tuple[str, str]] = []
    partial = ""
    for chunk in chunks:
        stamp = time.strftime("%H:%M:%S", time.localtime(chunk.wall_ns / 1e9))
        *whole, partial = (partial + chunk.data.decode("utf-8", "backslashreplace")).split("\n")
        stamps.extend((stamp, line) for line in whole)
        if chunk is chunks[-1] and partial:
            stamps.append((stamp, partial))
    return "\n".join(f"{stamp} {device} | {_clean(line)}" for stamp, line in stamps[-lines:])[-_TAIL_BYTES:]


def _clean(line: str) -> str:
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in line.rstrip("\r"))
