"""What is written while a run goes on: its events and what its consoles said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import BinaryIO

from runner.agent.calls import ConsoleBytes
from runner.events import line
from runner.result import Event


class EventsFile:
    """events.jsonl: each event is on its way to the disk before the run goes on."""

    def __init__(self, folder: Path) -> None:
        """Create the file."""
        self._file = (folder / "events.jsonl").open("ab", buffering=0)

    def hear(self, event: Event) -> None:
        """Append an event."""
        self._file.write(line(event))

    def console(self, chunk: ConsoleBytes) -> None:
        """Leave console bytes to their own files."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class ConsoleFiles:
    """console/BENCH.DEVICE.raw, byte for byte, and .idx: when which bytes were read, or why none were."""

    def __init__(self, folder: Path) -> None:
        """Create nothing until a console says something."""
        self._folder = folder / "console"
        self._files: dict[tuple[str, str], tuple[BinaryIO, BinaryIO]] = {}

    def hear(self, event: Event) -> None:
        """Leave events to others."""

    def console(self, chunk: ConsoleBytes) -> None:
        """Append what was received."""
        raw, index = self._of(chunk)
        raw.write(chunk.data)
        entry = {"offset": chunk.index, "monotonic_ns": chunk.monotonic_ns, "wall_ns": chunk.wall_ns}
        index.write(json.dumps({**entry, "gap": chunk.gap} if chunk.gap else entry).encode() + b"\n")

    def _of(self, chunk: ConsoleBytes) -> tuple[BinaryIO, BinaryIO]:
        key = (chunk.bench, chunk.device)
        if key not in self._files:
            self._folder.mkdir(exist_ok=True)
            stem = f"{chunk.bench}.{chunk.device}"
            raw = (self._folder / f"{stem}.raw").open("ab", buffering=0)
            self._files[key] = (raw, (self._folder / f"{stem}.idx").open("ab", buffering=0))
        return self._files[key]

    def close(self) -> None:
        """Close every file."""
        for raw, index in self._files.values():
            raw.close()
            index.close()
