"""A port that the kernel can wait for, as a stream: a tty or a connection that somebody has opened."""

from __future__ import annotations

import fcntl
import os
import select
import termios
import threading
from typing import Protocol

from runner.api import LabError
from runner.console.stream import ConsoleGone

_LARGEST = 65536
_STUCK = 10.0
"""Seconds without a byte leaving until flow control counts as stuck."""


class OpenPort(Protocol):
    """What has the file descriptor."""

    def fileno(self) -> int:
        """Return the descriptor."""

    def close(self) -> None:
        """Close it."""


def own_terminal(descriptor: int) -> None:
    """Refuse the port to others, and keep its modem lines when it is closed (termios(3), HUPCL)."""
    fcntl.ioctl(descriptor, termios.TIOCEXCL)
    attributes = termios.tcgetattr(descriptor)
    attributes[2] &= ~termios.HUPCL
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)


class DescriptorPort:
    """A port that the kernel can wait for: a tty or a TCP connection."""

    def __init__(self, port: OpenPort, name: str) -> None:
        """Take an open port; closing the stream closes it."""
        self._port = port
        self._name = name
        self._descriptor: int = port.fileno()
        self._woken, self._wake = os.pipe()
        self._reading = threading.Lock()
        self._open = True

    def read(self, timeout: float) -> bytes:
        """Wait up to `timeout` seconds for bytes; none when the time is over."""
        with self._reading:
            if not self._open:
                raise ConsoleGone(f"{self._name} is closed")
            ready, _, _ = select.select([self._descriptor, self._woken], [], [], max(0.0, timeout))
            if self._woken in ready:
                raise ConsoleGone(f"{self._name} is closed")
            if not ready:
                return b""
            try:
                data = os.read(self._descriptor, _LARGEST)
            except BlockingIOError:
                return b""
            except OSError as error:
                raise ConsoleGone(f"{self._name}: {error.strerror}") from error
        if not data:
            raise ConsoleGone(f"{self._name}: the other end has hung up")
        return data

    def write(self, data: bytes) -> None:
        """Send all of `data`; raise LabError when flow control holds it for 10 s."""
        view = memoryview(data)
        while view:
            if not self._open:
                raise ConsoleGone(f"{self._name} is closed")
            _, ready, _ = select.select([], [self._descriptor], [], _STUCK)
            if not ready:
                raise LabError(f"{self._name} takes no more bytes: flow control has held it for {_STUCK:g} s")
            try:
                view = view[os.write(self._descriptor, view) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise ConsoleGone(f"{self._name}: {error.strerror}") from error

    def close(self) -> None:
        """Close the port and wake whoever reads."""
        if not self._open:
            return
        self._open = False
        os.write(self._wake, b"x")
        with self._reading:
            self._port.close()
            os.close(self._woken)
            os.close(self._wake)
