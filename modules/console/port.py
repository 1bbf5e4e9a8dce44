"""Open serial ports as streams: those with a file descriptor, and the others."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from typing import Any

from runner.api import LabError
from runner.console import ConsoleGone, DescriptorPort, Stream, own_terminal

_SLICE = 0.05
"""Seconds after which a port without a descriptor is asked again."""
_STUCK = 10.0
"""Seconds without a byte leaving until flow control counts as stuck."""


def open_port(port: Any, name: str) -> Stream:
    """Open a port that pyserial has made, and return it as a stream.

    What pyserial raises passes through.
    """
    try:
        if name.startswith("/"):
            return _terminal(port, name)
        if name.startswith("socket://"):
            return _connection(port, name)
        return _other(port, name)
    except BaseException:
        port.close()
        raise


def _terminal(port: Any, name: str) -> Stream:
    port.exclusive = True
    port.open()
    own_terminal(port.fileno())
    return DescriptorPort(port, name)


def _connection(port: Any, name: str) -> Stream:
    port.open()
    _hurry(port.fileno())
    return DescriptorPort(port, name)


def _other(port: Any, name: str) -> Stream:
    port.timeout = _SLICE
    if not name.startswith("rfc2217://"):
        port.write_timeout = _STUCK
    port.open()
    return PolledPort(port, name)


def _hurry(descriptor: int) -> None:
    """Send each byte at once (tcp(7), TCP_NODELAY)."""
    with socket.socket(fileno=os.dup(descriptor)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class PolledPort:
    """A port that only pyserial can read: RFC 2217, loop."""

    def __init__(self, port: Any, name: str) -> None:
        """Take an open port of pyserial whose reads end after a moment."""
        self._port = port
        self._name = name
        self._open = True
        self._reading = threading.Lock()

    def read(self, timeout: float) -> bytes:
        """Wait up to `timeout` seconds for bytes; none when the time is over."""
        end = time.monotonic() + timeout
        with self._reading:
            while self._open:
                data = self._read_some()
                if data or time.monotonic() >= end:
                    return data
        raise ConsoleGone(f"{self._name} is closed")

    def write(self, data: bytes) -> None:
        """Send all of `data`."""
        import serial

        try:
            self._port.write(data)
        except serial.SerialTimeoutException as error:
            raise LabError(f"{self._name} takes no more bytes: {error}") from error
        except (serial.SerialException, OSError) as error:
            raise ConsoleGone(f"{self._name}: {error}") from error

    def close(self) -> None:
        """Close the port; whoever reads notices within a moment."""
        if not self._open:
            return
        self._open = False
        with self._reading, contextlib.suppress(OSError):
            self._port.close()

    def _read_some(self) -> bytes:
        import serial

        try:
            first: bytes = self._port.read(1)
            more: bytes = self._port.read(self._port.in_waiting) if first else b""
        except (serial.SerialException, OSError, TypeError) as error:
            raise ConsoleGone(f"{self._name}: {error}") from error
        return first + more
