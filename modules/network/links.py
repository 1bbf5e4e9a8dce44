"""Connections through the sockets of the operating system."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable

from runner.api import LabError, Unreachable

_LARGEST = 65536


def opened(connect: Callable[[], socket.socket], url: str, timeout: float) -> socket.socket:
    """Connect; raise Unreachable naming the address and the reason when it does not succeed."""
    try:
        return connect()
    except TimeoutError as error:
        raise Unreachable(
            f"{url}: no answer within {timeout:g}s",
            evidence={"limit": timeout},
            hint="see the option 'limit'",
        ) from error
    except OSError as error:
        raise Unreachable(f"{url}: {error.strerror or error}") from error


class SocketLink:
    """A connected socket: a stream of bytes, or messages (`whole`: one read returns one)."""

    def __init__(self, connection: socket.socket, url: str, *, whole: bool = False) -> None:
        """Take a connected socket; `url` names it in errors."""
        self._socket = connection
        self._url = url
        self._whole = whole
        self._closed = threading.Event()
        self._woken, self._waker = socket.socketpair()
        connection.setblocking(False)

    def read(self, timeout: float) -> bytes | None:
        """Return what has arrived; None at the end."""
        readable, _, _ = select.select([self._socket, self._woken], [], [], timeout)
        if self._closed.is_set():
            return None
        if self._socket not in readable:
            return b""
        try:
            data = self._socket.recv(_LARGEST)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise LabError(f"{self._url}: the connection was lost: {error.strerror}") from error
        return data if data or self._whole else None

    def write(self, data: bytes) -> None:
        """Send all of it; a message of messages is never cut."""
        rest = memoryview(data)
        try:
            while True:
                _, writable, _ = select.select([], [self._socket], [], 10.0)
                if not writable:
                    raise LabError(f"{self._url}: the other end has taken nothing for 10s")
                rest = rest[self._socket.send(rest) :]
                if not rest:
                    return
        except OSError as error:
            raise LabError(f"{self._url}: nothing could be sent: {error.strerror}") from error

    def hang_up(self) -> None:
        """Wake whoever reads."""
        self._closed.set()
        self._waker.send(b"!")

    def close(self) -> None:
        """Let go of the socket."""
        for each in (self._socket, self._woken, self._waker):
            each.close()
