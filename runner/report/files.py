"""What is written while a run goes on: its events and what its consoles said."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from runner.agent.calls import ConsoleBytes
from runner.api.verdicts import LabError
from runner.events import line
from runner.report.stamps import Stamp, entry
from runner.result import Event


@contextlib.contextmanager
def _on_disk(path: Path) -> Iterator[None]:
    """Raise LabError when the disk does not take what belongs to the run: nothing would prove it."""
    try:
        yield
    except OSError as error:
        raise LabError(
            f"{path} cannot be written: {error.strerror}", hint="is the disk of --results full?"
        ) from error


class EventsFile:
    """events.jsonl: each event is on its way to the disk before the run goes on."""

    def __init__(self, folder: Path) -> None:
        """Create the file; raise LabError when that is impossible."""
        self._path = folder / "events.jsonl"
        with _on_disk(self._path):
            self._file = self._path.open("ab", buffering=0)

    def hear(self, event: Event) -> None:
        """Append an event; raise LabError when the disk does not take it."""
        try:
            self._file.write(line(event))
        except OSError:
            with _on_disk(self._path):
                raise

    def console(self, chunk: ConsoleBytes) -> None:
        """Leave console bytes to their own files."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _Log:
    """The log of one console and its index; offsets are places in the log, also when a port was reopened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(exist_ok=True)
        self._raw: BinaryIO = path.open("ab", buffering=0)
        self._index: BinaryIO = path.with_suffix(".idx").open("ab", buffering=0)
        self._end = self._raw.tell()

    def append(self, chunk: ConsoleBytes) -> None:
        self._raw.write(chunk.data)
        self._index.write(entry(Stamp(self._end, chunk.wall_ns, chunk.gap), chunk.monotonic_ns))
        self._end += len(chunk.data)

    def close(self) -> None:
        self._raw.close()
        self._index.close()


class ConsoleFiles:
    """console/BENCH.DEVICE.raw, byte for byte, and .idx: when which bytes were read, or why none were."""

    def __init__(self, folder: Path) -> None:
        """Create nothing until a console says something."""
        self._folder = folder / "console"
        self._logs: dict[tuple[str, str], _Log] = {}

    def hear(self, event: Event) -> None:
        """Leave events to others."""

    def console(self, chunk: ConsoleBytes) -> None:
        """Append what was received; raise LabError when the disk does not take it."""
        with _on_disk(self._folder):
            self._of(chunk).append(chunk)

    def _of(self, chunk: ConsoleBytes) -> _Log:
        key = (chunk.bench, chunk.device)
        if key not in self._logs:
            self._logs[key] = _Log(self._folder / f"{chunk.bench}.{chunk.device}.raw")
        return self._logs[key]

    def close(self) -> None:
        """Close every file."""
        for log in self._logs.values():
            log.close()
