"""A way to a UDP server on which datagrams get lost, or come late, as a test wants it."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class UdpRelay:
    """Passes datagrams on and counts them; `lose` says how many answers of the next ones are lost."""

    def __init__(self, port: int) -> None:
        self.asked = 0
        self.lose = 0
        self.held: deque[bytes] = deque()
        self.holds = False
        """While it is true answers are kept in `held`, and come before the next one."""
        self._client: tuple[str, int] = ("", 0)
        self._near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._near.bind(("127.0.0.1", 0))
        self._far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._far.connect(("127.0.0.1", port))
        self.port: int = self._near.getsockname()[1]
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._ask, self._answer)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        while True:
            data, self._client = self._near.recvfrom(65536)
            if self._ending.is_set():
                return
            self.asked += 1
            self._far.send(data)

    def _answer(self) -> None:
        while True:
            data = self._far.recv(65536)
            if self._ending.is_set():
                return
            if self.lose:
                self.lose -= 1
            elif self.holds:
                self.held.append(data)
            else:
                for each in (*self.held, data):
                    self._near.sendto(each, self._client)
                self.held.clear()

    def close(self) -> None:
        self._ending.set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waking:
            waking.sendto(b"", ("127.0.0.1", self.port))
            waking.sendto(b"", self._near.getsockname())
        self._far.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._near.close()
        self._far.close()


@contextmanager
def udp_relay(port: int) -> Iterator[UdpRelay]:
    """Open a way to a port of this machine; close it at the end."""
    relay = UdpRelay(port)
    try:
        yield relay
    finally:
        relay.close()
