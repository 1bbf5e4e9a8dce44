"""A TCP relay that counts round trips: how often the talk changes direction."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

_LOOKS = 10
"""How often it looks whether the client has spoken, in the time for which it is to be silent."""


class Relay:
    """Passes bytes on, and counts.

    `sent` are the bytes of the client, `asked` the times when it began to speak after the server had.

    While `silence` is not 0, the server is only heard once the client has said nothing for so many
    seconds: what the client says without waiting for an answer then counts as one, however the two
    happen to meet on the way (a window that the server opens in the middle of an upload, say). Seconds
    in which this process did not run at all are not among them.

    `at` calls something when the client has sent so many bytes: before it sends any more.
    """

    def __init__(self, target: int, port: int = 0) -> None:
        self.asked = 0
        self.sent = 0
        self.silence = 0.0
        self._silent_after = 0
        self._due: tuple[int, Callable[[], None]] | None = None
        self._target = target
        self._lock = threading.Lock()
        self._speaking = ""
        self._sides: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._start(self._serve)

    def at(self, sent: int, call: Callable[[], None]) -> None:
        """Call once, when the client has sent so many bytes."""
        self._due = (sent, call)

    def close(self) -> None:
        """End every connection and close its ends."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(10)
        for side in self._sides:
            with contextlib.suppress(OSError):  # both may have gone
                side.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for side in (self._listener, *self._sides):
            side.close()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        self._threads.append(threading.Thread(target=work, args=arguments, daemon=True))
        self._threads[-1].start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sides.append(client)
                server = socket.create_connection(("127.0.0.1", self._target))
                self._sides.append(server)
                for side in (client, server):
                    side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._start(self._pass_on, client, server, "client")
                self._start(self._pass_on, server, client, "server")

    def _pass_on(self, source: socket.socket, sink: socket.socket, who: str) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if who == "server":
                    self._wait_for_silence()
                with self._lock:
                    self.sent += len(data) if who == "client" else 0
                    self.asked += who == "client" and self._speaking != "client"
                    self._speaking = who
                sink.sendall(data)
                self._call_if_due()
        with contextlib.suppress(OSError):  # it may have gone, too
            sink.shutdown(socket.SHUT_WR)

    def _wait_for_silence(self) -> None:
        while self.silence and self.sent != self._silent_after:
            sent = self.sent
            for _ in range(_LOOKS):
                time.sleep(self.silence / _LOOKS)
                if self.sent != sent:
                    break
            else:
                self._silent_after = sent

    def _call_if_due(self) -> None:
        with self._lock:
            due = self._due if self._due and self.sent >= self._due[0] else None
            self._due = None if due else self._due
        if due:
            due[1]()


@contextlib.contextmanager
def relay(target: int, port: int = 0) -> Iterator[Relay]:
    """Relay to a port of this machine, from a free one or `port`."""
    it = Relay(target, port)
    try:
        yield it
    finally:
        it.close()
