"""A console without a thread: whoever waits reads, on a clock that the stream drives."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from runner.api import LabError
from runner.console.stream import Chunk, ConsoleEnded, ConsoleGone, Stream


class TimedStream(Stream, Protocol):
    """A stream that knows what time it is: `read` lets the time pass."""

    def now(self) -> float:
        """Return the time in seconds."""


class Inline:
    """A source for tests and for replaying: deterministic, and as fast as the computer."""

    def __init__(self, stream: TimedStream) -> None:
        """Read from `stream` when somebody waits."""
        self.lock = threading.Condition()
        self._stream = stream
        self._hear: Callable[[Chunk], None] | None = None
        self._index = 0
        self._gone = ""
        self._released = False

    @property
    def gone(self) -> str:
        """Why the stream is away; empty when it is there."""
        return self._gone

    def start(self, hear: Callable[[Chunk], None]) -> None:
        """Remember who listens."""
        self._hear = hear

    def stop(self) -> None:
        """Let go of the stream."""
        self._stream.close()

    def release(self) -> None:
        """Read nothing until it is used again."""
        self._released = True

    def resume(self) -> bool:
        """Go on reading."""
        was, self._released = self._released, False
        return was

    def clock(self) -> float:
        """Return the stream's time."""
        return self._stream.now()

    def calendar(self) -> int:
        """Return the stream's time, in nanoseconds."""
        return round(self._stream.now() * 1e9)

    def wait(self, timeout: float) -> None:
        """Read once."""
        try:
            data = self._stream.read(timeout)
        except ConsoleGone as error:
            self._gone = str(error) or "the port vanished"
            self._tell(b"", f"lost: {self._gone}", ended=isinstance(error, ConsoleEnded))
            return
        if data:
            self._tell(data)

    def _tell(self, data: bytes, gap: str = "", *, ended: bool = False) -> None:
        nanoseconds = round(self._stream.now() * 1e9)
        chunk = Chunk(self._index, nanoseconds, nanoseconds, data, gap, ended)
        self._index += len(data)
        if self._hear is not None:
            self._hear(chunk)

    def wake(self) -> None:
        """Nobody waits in another thread."""

    def write(self, data: bytes) -> None:
        """Send bytes; raise LabError when the stream is gone."""
        try:
            self._stream.write(data)
        except ConsoleGone as error:
            raise LabError(f"the console cannot be written to: {error}") from error
