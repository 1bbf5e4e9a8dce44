"""A link of the bench as a connection of udsoncan (udsoncan documentation, "Connections")."""

from __future__ import annotations

import time
from typing import Any

from runner.api import ByteString, Context, DiagnosticLink, Duration
from runner.api.unattended import Unattended

_PENDING = 0x78


class Connection:
    """What one request sends and receives; answers to earlier ones are passed over.

    A request counts as sent when the link says so: the library's clock starts after that.
    """

    def __init__(self, link: DiagnosticLink, send_timeout: Duration) -> None:
        """Use a link; `begin` says for which step."""
        self._link = link
        self._send_timeout = send_timeout
        self._context: Context = Unattended()
        self._after = 0
        self._last = b""
        self.sent = 0.0
        """When the latest request was sent, in seconds of the monotonic clock."""
        self.pending = 0
        """How many answers to it were pending."""

    def begin(self, context: Context) -> None:
        """Work for a step: its cancel ends a wait."""
        self._context = context
        self._last = b""
        self.pending = 0

    def send(self, payload: bytes) -> None:
        """Send a request and return when it is sent."""
        self._after = self._link.send(payload, self._send_timeout, self._context, wait=True)
        self._link.last_sent = self._after
        self.sent = time.monotonic()

    def receive(self, timeout: float) -> bytes | None:
        """Return the next message after the request; None when none has begun in time."""
        message = self._link.next(self._after, timeout, self._context)
        if message is None:
            return None
        self._after = message.number
        self._last = bytes(message.data)
        self.pending += self._last[:1] == b"\x7f" and self._last[2:3] == bytes([_PENDING])
        return self._last

    def last_answer(self) -> str:
        """Return the latest message since the request, for a person; empty when there was none."""
        return f"[{ByteString(self._last[:64])}]" if self._last else ""


def library_connection(connection: Connection) -> Any:
    """Return it as the library wants it."""
    from udsoncan.connections import BaseConnection
    from udsoncan.exceptions import TimeoutException

    class BenchConnection(BaseConnection):
        """Always open: the bench opens and closes the link."""

        def specific_send(self, payload: bytes, timeout: float | None = None) -> None:
            del timeout
            connection.send(payload)

        def specific_wait_frame(self, timeout: float | None = None) -> bytes | None:
            received = connection.receive(timeout or 0.0)
            if received is None:
                raise TimeoutException("nothing came")  # type: ignore[no-untyped-call]
            return received

        def open(self) -> BaseConnection:
            return self

        def close(self) -> None:
            pass

        def empty_rxqueue(self) -> None:
            pass

        def is_open(self) -> bool:
            return True

    return BenchConnection()
