"""Where a console's bytes come from while somebody waits for them, and the clock that goes with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from runner.api import LabError
from runner.console.stream import Chunk, ConsoleEnded, ConsoleGone, Stream

_LONGEST_READ = 0.5
_BACK_OFF = (0.05, 0.1, 0.2, 0.5, 1.0)


class Source(Protocol):
    """Reads a port and hands on what it says, under `lock`."""

    lock: threading.Condition

    def start(self, hear: Callable[[Chunk], None]) -> None:
        """Begin to read; `hear` is called for every chunk, with the lock held.

        A chunk with neither data nor a gap says what time it is; it comes at least every second.
        """

    def stop(self) -> None:
        """End reading and let go of the port."""

    def release(self) -> None:
        """Let go of the port until it is used again."""

    def resume(self) -> bool:
        """Open a port again that was let go of; tell whether it was. Raise the driver's LabError."""

    def clock(self) -> float:
        """Return the time in seconds, as chunks are stamped."""

    def calendar(self) -> int:
        """Return the time of the calendar in nanoseconds, as chunks are stamped."""

    def wait(self, timeout: float) -> None:
        """Wait with the lock held until something was heard or `timeout` seconds are over."""

    def wake(self) -> None:
        """End everybody's wait."""

    def write(self, data: bytes) -> None:
        """Send bytes; raise LabError when the port is gone."""

    @property
    def gone(self) -> str:
        """Why the port is away; empty when it is there."""


class Reader:
    """Reads a port in a thread of its own, always; opens it again when it has vanished."""

    def __init__(self, connect: Callable[[], Stream], name: str) -> None:
        """Read what `connect` opens."""
        self.lock = threading.Condition()
        self._connect = connect
        self._name = name
        self._stream: Stream | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._gone = "it is not open"
        self._index = 0
        self._used = threading.Event()
        self._used.set()
        self._left = threading.Event()

    @property
    def gone(self) -> str:
        """Why the port is away; empty when it is there."""
        return self._gone

    def start(self, hear: Callable[[Chunk], None]) -> None:
        """Open the port (raises the driver's LabError) and read from it until `stop`."""
        self._stream = self._connect()
        self._gone = ""
        self._thread = threading.Thread(
            target=self._read, args=(hear,), name=f"console {self._name}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the thread and let go of the port."""
        self._stopping.set()
        self._used.set()
        if self._stream is not None:
            self._stream.close()
        if self._thread is not None:
            self._thread.join(2 * _LONGEST_READ)

    def release(self) -> None:
        """Close the port, so that somebody else can open it; raise LabError when it is not let go of."""
        stream = self._stream
        self._left.clear()
        self._used.clear()
        if stream is not None:
            stream.close()
        if not self._left.wait(4 * _LONGEST_READ):
            raise LabError(f"console {self._name!r} does not let go of its port")

    def resume(self) -> bool:
        """Open the port again and go on reading."""
        if self._used.is_set():
            return False
        self._stream = self._connect()
        self._gone = ""
        self._used.set()
        return True

    def clock(self) -> float:
        """Return the monotonic time."""
        return time.monotonic()

    def calendar(self) -> int:
        """Return the time of day."""
        return time.time_ns()

    def wait(self, timeout: float) -> None:
        """Wait for the thread to notify."""
        self.lock.wait(timeout)

    def wake(self) -> None:
        """Notify all that wait."""
        with self.lock:
            self.lock.notify_all()

    def write(self, data: bytes) -> None:
        """Send bytes; raise LabError when the port is gone."""
        stream = self._stream
        if stream is None or self._gone:
            raise LabError(f"console {self._name!r} cannot be written to: {self._gone}")
        try:
            stream.write(data)
        except ConsoleGone as error:
            raise LabError(f"console {self._name!r} vanished while it was written to: {error}") from error

    def _read(self, hear: Callable[[Chunk], None]) -> None:
        while not self._stopping.is_set():
            if not self._used.is_set():
                self._rest()
                continue
            stream = self._stream
            if stream is None:
                self._open_again(hear)
                continue
            try:
                data = stream.read(_LONGEST_READ)
            except ConsoleGone as error:
                if self._used.is_set():
                    self._lose(stream, error, hear)
                continue
            self._tell(hear, data)

    def _tell(
        self, hear: Callable[[Chunk], None], data: bytes, gap: str = "", *, ended: bool = False
    ) -> None:
        chunk = Chunk(self._index, time.monotonic_ns(), time.time_ns(), data, gap, ended)
        self._index += len(data)
        with self.lock:
            hear(chunk)

    def _rest(self) -> None:
        """Read nothing while somebody else has the port."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        self._gone = "it was closed by console_close"
        self._left.set()
        self._used.wait()

    def _lose(self, stream: Stream, error: ConsoleGone, hear: Callable[[Chunk], None]) -> None:
        reason = str(error) or "the port vanished"
        self._stream, self._gone = None, reason
        stream.close()
        if not self._stopping.is_set():
            self._tell(hear, b"", f"lost: {reason}", ended=isinstance(error, ConsoleEnded))

    def _open_again(self, hear: Callable[[Chunk], None]) -> None:
        started = time.monotonic()
        attempt = 0
        while not self._stopping.wait(_BACK_OFF[min(attempt, len(_BACK_OFF) - 1)]):
            attempt += 1
            if not self._used.is_set():
                return
            try:
                self._stream = self._connect()
            except (LabError, ConsoleGone) as error:
                self._gone = str(error)
                self._tell(hear, b"")
                continue
            self._gone = ""
            self._tell(hear, b"", f"open again after {time.monotonic() - started:.1f} s")
            return
