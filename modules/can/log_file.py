"""A log of a bus, written while frames come: ASC, BLF or candump's, by python-can's writers."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from runner.api import LabError, Size
from runner.api.frames import Entry, FrameRecord

LogFormat = Literal["candump", "asc", "blf"]
SUFFIXES = {"candump": ".log", "asc": ".asc", "blf": ".blf"}
_PREFIX = "runner-can-"
"""Of the files; the number of the process that writes it follows."""
_EVERY = 0.2
"""Seconds between two looks at the record."""
_AT_ONCE = 2048
"""Frames that are written without a pause."""

_CHANNELS = 2**16 - 1
"""How many channels a BLF file can have: its numbers have 16 bits, and python-can begins with 1."""

ToMessage = Callable[[Entry], Any]


class LogFile:
    """Follows a record into a temporary file; `close` it, and it is whole."""

    def __init__(
        self, record: FrameRecord, to_message: ToMessage, kind: LogFormat, limit: Size, bus: str
    ) -> None:
        """Begin with the frames that come from now on; raise LabError when nothing can be written."""
        import can

        self._record = record
        self._to_message = to_message
        self._limit = limit
        self._bus = bus
        self._after = record.latest()
        self.written = 0
        self.missed = 0
        """Frames that were gone from the record before they could be written."""
        self.full = False
        self._failed: LabError | None = None
        writers = {"candump": can.CanutilsLogWriter, "asc": can.ASCWriter, "blf": can.BLFWriter}
        with self._translated():
            _sweep(Path(tempfile.gettempdir()))
            number, path = tempfile.mkstemp(prefix=f"{_PREFIX}{os.getpid()}-", suffix=SUFFIXES[kind])
            os.close(number)
            self.path = Path(path)
            self._writer = writers[kind](path)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"log {bus}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write what is left and end the file; raise LabError when it is not whole."""
        self._ending.set()
        self._thread.join()
        with self._translated():
            self._writer.stop()
        if self._failed is not None:
            raise self._failed

    def _follow(self) -> None:
        try:
            while not self._ending.wait(_EVERY):
                self._catch_up()
            self._catch_up()
        except LabError as error:
            self._failed = error

    def _catch_up(self) -> None:
        while True:
            first, entries = self._record.entries(self._after, _AT_ONCE)
            if not entries:
                return
            self.missed += first - self._after - 1
            self._after = first + len(entries) - 1
            if not self.full:
                self._write(entries)

    def _write(self, entries: Sequence[Entry]) -> None:
        with self._translated():
            for entry in entries:
                self._writer.on_message_received(self._to_message(entry))
            self.written += len(entries)
            self.full = self._writer.file_size() >= self._limit

    @contextlib.contextmanager
    def _translated(self) -> Any:
        try:
            yield
        except OSError as error:
            raise LabError(
                f"cannot write the log of {self._bus}: {error.strerror or error}",
                hint="log: none does without; TMPDIR of the host says where it is written",
            ) from error


def channel_in_log(channel: str, kind: LogFormat) -> str | None:
    """Return what stands in a log as the channel; None, the first, where its number is too large.

    python-can takes the number that the channel's name ends with.

    >>> channel_in_log("can1", "blf"), channel_in_log("usb-65535", "asc"), channel_in_log("usb-65535", "blf")
    ('can1', 'usb-65535', None)
    """
    number = re.search(r"[0-9]+$", channel)
    large = number is not None and int(number[0]) >= _CHANNELS
    return None if kind == "blf" and large else channel


def _sweep(folder: Path) -> None:
    """Remove what processes have left that were killed."""
    for left in folder.glob(f"{_PREFIX}*"):
        owner = left.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            with contextlib.suppress(OSError):  # it is another user's, or was removed meanwhile
                left.unlink()
