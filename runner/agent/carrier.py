"""Carries bytes between a socket and a stream of frames; both ends of a forward have one."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import threading
from collections.abc import Callable
from queue import SimpleQueue

from runner.agent.credit import WINDOW, Credit, Debt
from runner.agent.frames import LARGEST_PAYLOAD, Kind, ProtocolError

_MOST_WAITING = WINDOW + LARGEST_PAYLOAD
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of no time: closing is a reset and not an end (socket(7))."""


class Broken(Exception):
    """A connection that did not end by itself; the text says why."""


class Carrier:
    """Carries both ways, each until its own end: an empty DATA is the end of one direction.

    At most `WINDOW` bytes and one frame wait for a slow socket. Who is told nothing more is
    read from, so a sender on the other side waits as it would for the socket itself.
    """

    def __init__(self, say: Callable[[Kind, bytes], None]) -> None:
        """Get ready to take bytes; `say` sends a frame, and raises OSError when nobody reads it."""
        self._say = say
        self._credit = Credit()
        self._debt = Debt()
        self._waiting: SimpleQueue[bytes | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._held = 0
        self._why = ""
        self._woken, self._wake = os.pipe2(os.O_CLOEXEC)

    def take(self, data: bytes) -> None:
        """Take bytes of the stream, never waiting; raise ProtocolError when nobody allowed so many."""
        with self._lock:
            self._held += len(data)
            too_many = self._held > _MOST_WAITING
        if too_many:
            raise ProtocolError(f"more than {_MOST_WAITING} bytes without credit for them")
        self._waiting.put(data)

    def grant(self, amount: int) -> None:
        """Let so much more of what the socket says be sent."""
        self._credit.grant(amount)

    def abort(self, why: str) -> None:
        """Give up both directions, once."""
        with self._lock:
            if self._why:
                return
            self._why = why
            if self._wake >= 0:
                os.write(self._wake, b"\0")
        self._credit.close()
        self._waiting.put(None)

    def run(self, connection: socket.socket) -> None:
        """Carry until both directions have ended, and close the socket; raise Broken when one did not."""
        connection.setblocking(False)
        writer = threading.Thread(target=self._guarded, args=(self._write, connection), daemon=True)
        writer.name = f"{threading.current_thread().name} writer"
        writer.start()
        self._guarded(self._read, connection)
        writer.join()
        if self._why:
            with contextlib.suppress(OSError):  # a Unix socket knows no reset
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        connection.close()
        self.close()
        if self._why:
            raise Broken(self._why)

    def close(self) -> None:
        """Let go of what `abort` needs."""
        with self._lock:
            woken, wake, self._woken, self._wake = self._woken, self._wake, -1, -1
        for each in (woken, wake):
            if each >= 0:
                os.close(each)

    def _guarded(self, work: Callable[[socket.socket], None], connection: socket.socket) -> None:
        try:
            work(connection)
        except OSError as error:
            self.abort((error.strerror or str(error)).lower())

    def _read(self, connection: socket.socket) -> None:
        while self._ready(connection, select.POLLIN):
            try:
                data = connection.recv(LARGEST_PAYLOAD)
            except BlockingIOError:
                continue
            if data and not self._credit.spend(len(data)):
                return
            self._say(Kind.DATA, data)
            if not data:
                return

    def _write(self, connection: socket.socket) -> None:
        while (data := self._waiting.get()) is not None and not self._why:
            if not data:
                connection.shutdown(socket.SHUT_WR)
                return
            if not self._sent(connection, data):
                return
            with self._lock:
                self._held -= len(data)
            credit = self._debt.read(len(data))
            if credit:
                self._say(Kind.CREDIT, credit)

    def _sent(self, connection: socket.socket, data: bytes) -> bool:
        left = memoryview(data)
        while left:
            try:
                left = left[connection.send(left) :]
            except BlockingIOError:
                if not self._ready(connection, select.POLLOUT):
                    return False
        return True

    def _ready(self, connection: socket.socket, what: int) -> bool:
        """Wait until the socket can be used; False once it was given up."""
        poll = select.poll()
        poll.register(connection, what)
        poll.register(self._woken, select.POLLIN)
        poll.poll()
        return not self._why
