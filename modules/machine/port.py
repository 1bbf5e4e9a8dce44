"""The serial port of a virtual machine, which stays while the machine comes and goes."""

from __future__ import annotations

import select
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Callable

from runner.console import ConsoleEnded, ConsoleGone
from runner.modules.machine.guest import Guest

_LARGEST = 65536


class GuestPort:
    """An open port: silent while the machine is off, gone for a moment when QEMU dies by itself."""

    def __init__(self, closed: Callable[[GuestPort], None]) -> None:
        """Open it, with no machine at its other end; `closed` is told when it is closed."""
        self._closed = closed
        self._open = True
        self._lives: deque[tuple[Guest, socket.socket]] = deque()
        self._changed = threading.Condition()
        self._reading = threading.Lock()
        self._woken, self._wake = socket.socketpair()

    def attach(self, guest: Guest) -> None:
        """Connect to a machine that has been started."""
        connection = guest.connect_serial()
        with self._changed:
            self._lives.append((guest, connection))
            self._changed.notify_all()

    def read(self, timeout: float) -> bytes:
        """Wait up to `timeout` seconds for bytes; none when the time is over.

        Raise ConsoleEnded when QEMU has ended without being told to, ConsoleGone when the port is closed.
        """
        end = time.monotonic() + timeout
        with self._reading:
            while (life := self._life(end)) is not None:
                guest, connection = life
                ready, _, _ = select.select([connection, self._woken], [], [], _left(end))
                if not ready:
                    return b""
                if self._woken not in ready and (data := _received(connection)):
                    return data
                if self._woken not in ready:
                    self._forget(guest, connection)
        return b""

    def write(self, data: bytes) -> None:
        """Send all of `data`; a machine that is off does not hear it."""
        with self._changed:
            life = self._lives[-1] if self._lives else None
        if life is None:
            return
        try:
            life[1].sendall(data)
        except OSError as error:
            if not life[0].stopping:
                raise ConsoleGone(f"QEMU is gone: {error.strerror}") from error

    def close(self) -> None:
        """Close it and wake whoever reads."""
        with self._changed:
            if not self._open:
                return
            self._open = False
            self._changed.notify_all()
        self._wake.send(b"x")
        self._closed(self)
        with self._reading:
            for each in (self._woken, self._wake, *(connection for _, connection in self._lives)):
                each.close()

    def _life(self, end: float) -> tuple[Guest, socket.socket] | None:
        """Wait for a machine until the time `end`."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._lives) or not self._open, _left(end))
            if not self._open:
                raise ConsoleGone("the port is closed")
            return self._lives[0] if self._lives else None

    def _forget(self, guest: Guest, connection: socket.socket) -> None:
        """Leave a machine that has hung up."""
        connection.close()
        with self._changed:
            self._lives.popleft()
        if not guest.stopping:
            guest.ended.wait(1.0)
            words = f": {guest.said}" if guest.said else ""
            raise ConsoleEnded(f"QEMU has ended by itself, {_how(guest.status)}{words}")


def _how(status: int | None) -> str:
    """Say how a process ended: a negative status is the signal that killed it."""
    if status is not None and status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return f"with status {status}"


def _left(end: float) -> float:
    return max(0.0, end - time.monotonic())


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(_LARGEST)
    except OSError:
        return b""
