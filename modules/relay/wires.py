"""The ways to a relay board: a TCP connection or a serial line, both opened again when they have ended."""

from __future__ import annotations

import socket
import time
from typing import Any, Protocol

from runner.api import Duration

_ENDED = "the connection has ended"


class Wire(Protocol):
    """Bytes there and back."""

    def send(self, data: bytes) -> None:
        """Send all of it, and forget what came before."""

    def receive(self, length: int, until: float) -> bytes:
        """Return as many bytes; raise TimeoutError when they have not come by then, OSError at the end."""

    def close(self) -> None:
        """Close it."""


class TcpWire:
    """A TCP connection."""

    def __init__(self, host: str, port: int, timeout: Duration) -> None:
        """Connect; raise OSError when nobody is there."""
        self._socket = socket.create_connection((host, port), float(timeout))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data: bytes) -> None:
        """Send all of it; what comes late is told from an answer by its number."""
        self._socket.sendall(data)

    def receive(self, length: int, until: float) -> bytes:
        """Return as many bytes."""
        data = b""
        while len(data) < length:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            part = self._socket.recv(length - len(data))
            if not part:
                raise ConnectionResetError(_ENDED)
            data += part
        return data

    def close(self) -> None:
        """Close it."""
        self._socket.close()


class SerialWire:
    """A serial line, or what pyserial reaches by a URL, with eight data bits."""

    def __init__(self, port: str, baudrate: int, parity: str, timeout: Duration) -> None:
        """Open it for us alone; raise OSError when it is not there."""
        import serial

        self._port: Any = serial.serial_for_url(
            port, baudrate=baudrate, parity=parity, write_timeout=float(timeout), exclusive=True
        )

    def send(self, data: bytes) -> None:
        """Send all of it, and forget what came before."""
        self._port.reset_input_buffer()
        self._port.write(data)
        self._port.flush()

    def receive(self, length: int, until: float) -> bytes:
        """Return as many bytes."""
        self._port.timeout = max(0.0, until - time.monotonic())
        data: bytes = self._port.read(length)
        if len(data) < length:
            raise TimeoutError
        return data

    def close(self) -> None:
        """Close it."""
        self._port.close()
