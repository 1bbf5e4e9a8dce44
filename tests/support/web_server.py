"""A web server of a test that can end its connections."""

from __future__ import annotations

import contextlib
import socket
from http.server import ThreadingHTTPServer
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
