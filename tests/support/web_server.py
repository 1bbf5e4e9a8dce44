"""A web server of a test that can end its connections."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class HangingUp(ThreadingHTTPServer):
    """Can end the connections that it has accepted, as a server that is switched off does."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, *how: Any) -> None:
        self._connections: list[socket.socket] = []
        super().__init__(*how)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, peer = super().get_request()
        self._connections.append(connection)
        return connection, peer

    def end_connections(self) -> None:
        for connection in self._connections:
            with contextlib.suppress(OSError):  # the client may have gone
                connection.shutdown(socket.SHUT_RDWR)


class Quiet(BaseHTTPRequestHandler):
    """Keeps connections open, and says nothing of those that break off."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            super().handle_one_request()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextlib.contextmanager
def serving(
    handler: type[BaseHTTPRequestHandler], trust: ssl.SSLContext | None, ending: Callable[[], None]
) -> Iterator[str]:
    """Answer on a free port, whose URL is given; `ending` is called before the end, to let go of requests."""
    server = HangingUp(("127.0.0.1", 0), handler)
    if trust is not None:
        server.socket = trust.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http{'s' if trust else ''}://127.0.0.1:{server.server_address[1]}"
    finally:
        ending()
        server.shutdown()
        server.server_close()
        server.end_connections()
        thread.join(30)
