"""One fixed port for many benches of a host: who waits for it is woken when it is given back."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from runner.api import LabError

if TYPE_CHECKING:
    from runner.api import Context

_SO_PEERCRED = 17
"""socket(7): which process listens there."""


class PortLock:
    """A name that only one process of this host holds; the kernel frees it, whatever ends that process.

    It is a Unix socket in the abstract namespace (unix(7)), which like a port belongs to a network
    namespace. Who waits connects to it, and hears when it is gone.
    """

    def __init__(self, port: int) -> None:
        """Take nothing yet."""
        self._name = f"\0runner-tftp-{port}"
        self._port = port
        self._held: socket.socket | None = None

    def take(self, within: float, context: Context) -> None:
        """Take it; raise LabError that names who has it when it is not free within so many seconds."""
        until = float(context.left) - within
        while not self._taken():
            waiting = self._queued()
            if waiting is None:
                continue
            with waiting, _woken(context) as woken:
                holder = _process_of(waiting)
                context.log(f"port {self._port} is with process {holder}: waiting for it")
                if not _ended(waiting, woken, float(context.left) - until):
                    context.check_cancelled()
                    raise LabError(
                        f"port {self._port} is in use by process {holder} of this host, for {within:g} s now",
                        hint="another bench loads by TFTP: 'port_wait' of the server says how long to wait",
                    )

    def give_back(self) -> None:
        """Let the next one have it."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def _taken(self) -> bool:
        holding = socket.socket(socket.AF_UNIX)
        try:
            holding.bind(self._name)
        except OSError:
            holding.close()
            return False
        holding.listen(128)
        self._held = holding
        return True

    def _queued(self) -> socket.socket | None:
        """Connect to who has it; None when it has just been given back."""
        waiting = socket.socket(socket.AF_UNIX)
        try:
            waiting.connect(self._name)
        except ConnectionRefusedError:
            waiting.close()
            return None
        return waiting


def _process_of(waiting: socket.socket) -> int:
    return int(struct.unpack("3i", waiting.getsockopt(socket.SOL_SOCKET, _SO_PEERCRED, 12))[0])


def _ended(waiting: socket.socket, woken: socket.socket, seconds: float) -> bool:
    """Wait until the other end of `waiting` is gone; False when the time is over or the step cancelled."""
    polling = select.poll()
    polling.register(waiting, select.POLLIN | select.POLLHUP)
    polling.register(woken, select.POLLIN)
    return waiting.fileno() in dict(polling.poll(max(0.0, seconds) * 1000))


@contextlib.contextmanager
def _woken(context: Context) -> Iterator[socket.socket]:
    """Give a socket that can be read once the step is cancelled."""
    ours, theirs = socket.socketpair()

    def wake() -> None:
        theirs.send(b"x")

    release = context.on_cancel(wake)
    try:
        yield ours
    finally:
        release()
        ours.close()
        theirs.close()
