"""A diagnostic link to gallia's virtual control unit: a line of hexadecimal digits is a message.

A driver, as a user would write one: a test puts this file into the folder `modules/` beside its recipe.
"""

from __future__ import annotations

import contextlib
import socket
import threading

from runner.api import Context, DiagnosticLink, Driver, Duration, LabError, arg
from runner.api.diagnostics import Message, MessageRecord


class HexLines(Driver, DiagnosticLink):
    """A control unit that listens on a Unix socket."""

    path: str = arg(help="the socket")

    def open(self) -> None:
        """Connect to it."""
        self._record = MessageRecord(self.path)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(self.path)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.join()
        self._socket.close()

    def send(
        self,
        data: bytes,
        timeout: Duration,
        context: Context,
        *,
        functional: bool | None = None,
        wait: bool | None = None,
    ) -> int:
        """Send a line."""
        number = self._record.add(data, sent=True)
        self._socket.sendall(data.hex().encode() + b"\n")
        return number

    def latest(self) -> int:
        """Return the number of the newest message."""
        return self._record.latest()

    def next(self, after: int, timeout: float, context: Context) -> Message | None:
        """Wait for a received message."""
        return self._record.next(after, timeout, context)

    def _read(self) -> None:
        with self._socket.makefile("rb") as lines:
            for line in lines:
                self._record.add(bytes.fromhex(line.decode()))
        self._record.fail(LabError("it has hung up"))
