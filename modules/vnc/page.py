"""A web page with a VNC server's screen: noVNC's files, and the bridge from its WebSocket to the server."""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import mimetypes
import socket
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from runner.api import LabError, Unreachable
from runner.api.display import Display

if TYPE_CHECKING:
    from websockets.http11 import Request, Response
    from websockets.sync.server import ServerConnection
    from websockets.typing import Subprotocol

SOCKET = "/websockify"
"""The path that noVNC's page connects to unless it is told another."""
_CONNECT = 10.0
_FAREWELL = 2.0
"""Seconds that a browser has to say goodbye, too."""
_MOST = 65536
_OWN = "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'"
"""What the page may load (Content Security Policy Level 3): nothing of another site, whatever is in it."""


class Page:
    """Serves the page, and carries bytes: messages one way, their content the other."""

    def __init__(self, display: Display, files: Path, host: str, port: int) -> None:
        """Listen; raise Unreachable when the port cannot be had."""
        from websockets.sync.server import serve

        self._display = display
        self._files = files.resolve()
        self._lock = threading.Lock()
        self._open: set[ServerConnection] = set()
        self._made: weakref.WeakSet[ServerConnection] = weakref.WeakSet()
        self._closing = False
        quiet = logging.getLogger("runner.novnc")
        quiet.setLevel(logging.CRITICAL)
        try:
            self._server = serve(
                self._carry,
                host,
                port,
                process_request=self._answer,
                select_subprotocol=_binary,
                create_connection=self._accept,  # type: ignore[arg-type]  # whatever makes one does
                close_timeout=_FAREWELL,
                compression=None,
                max_size=None,
                logger=quiet,
            )
        except OSError as error:
            raise Unreachable(f"cannot listen on {host}:{port}: {error.strerror}") from error
        self.host, self.port = self._server.socket.getsockname()[:2]
        self._thread = threading.Thread(target=self._server.serve_forever, name="noVNC page", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening, and end every connection.

        Browsers also make connections on which they ask for nothing; `shutdown` would wait for those.
        """
        with self._lock:
            self._closing = True
            silent = [each for each in self._made if each not in self._open]
        for each in silent:
            each.close_socket()
        self._server.shutdown()
        with self._lock:
            ending = list(self._open)
        for each in ending:
            each.close_socket()
        self._thread.join()

    def _accept(self, *how: Any, **options: Any) -> ServerConnection:
        """Make a connection, and keep it in mind until it is gone."""
        from websockets.sync.server import ServerConnection

        made = ServerConnection(*how, **options)
        with self._lock:
            self._made.add(made)
            closing = self._closing
        if closing:
            made.close_socket()
        return made

    def _carry(self, browser: ServerConnection) -> None:
        """Carry a browser's bytes to the server and back, until one of them ends."""
        try:
            server = self._display.connect(_CONNECT)
        except LabError as error:
            browser.close(1011, error.message.encode()[:120].decode(errors="ignore"))
            return
        server.settimeout(None)
        back = threading.Thread(target=_to_browser, args=(server, browser), name="noVNC", daemon=True)
        with self._lock:
            self._open.add(browser)
        back.start()
        try:
            _to_server(browser, server)
        finally:
            with self._lock:
                self._open.discard(browser)
            back.join()
            server.close()

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """Send a file of the page; None for the WebSocket, which other people's pages may not use."""
        path = unquote(urlsplit(request.path).path)
        asked = request.headers.get("Host", "")
        if not _is_our_name(asked, socket.gethostname()):
            return connection.respond(403, f"{asked} is not known here: write the address in numbers\n")
        if path != SOCKET:
            return self._file(connection, path)
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("Host"):
            return connection.respond(403, f"a page of {origin} may not connect\n")
        return None

    def _file(self, connection: ServerConnection, path: str) -> Response:
        from websockets.datastructures import Headers
        from websockets.http11 import Response

        file = (self._files / path.lstrip("/")).resolve()
        if not file.is_relative_to(self._files) or not file.is_file():
            return connection.respond(404, f"no {path}\n")
        body = file.read_bytes()
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        headers = Headers(
            {
                "Content-Type": kind,
                "Content-Length": str(len(body)),
                "Content-Security-Policy": _OWN,
                "Connection": "close",
            }
        )
        return Response(200, "OK", headers, body)


def _is_our_name(asked: str, own: str) -> bool:
    """Tell whether a Host header may be ours: an address, localhost, or the host's name in any domain.

    Otherwise somebody's page could be at a name of theirs that leads to us, and be of the same origin.

    >>> [_is_our_name(each, "shelf1") for each in ("127.0.0.1:80", "[::1]:80", "localhost", "SHELF1.lab:80")]
    [True, True, True, True]
    >>> [_is_our_name(each, "shelf1") for each in ("evil.example:80", "shelf12", "")]
    [False, False, False]
    """
    try:
        name = urlsplit(f"//{asked}").hostname or ""
    except ValueError:
        return False
    with contextlib.suppress(ValueError):  # a name, then
        return bool(ipaddress.ip_address(name))
    return name in {"localhost", own.lower()} or name.startswith(f"{own.lower()}.")


def _binary(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Take the only subprotocol that older versions of noVNC know; newer ones offer none."""
    return next((each for each in offered if each == "binary"), None)


def _to_server(browser: ServerConnection, server: socket.socket) -> None:
    """Write the content of messages, and nothing of the WebSocket; then hang up."""
    from websockets.exceptions import ConnectionClosed

    with contextlib.suppress(ConnectionClosed, OSError):  # whichever end has gone, it is over
        while True:
            message = browser.recv()
            server.sendall(message.encode() if isinstance(message, str) else message)
    with contextlib.suppress(OSError):
        server.shutdown(socket.SHUT_RDWR)


def _to_browser(server: socket.socket, browser: ServerConnection) -> None:
    from websockets.exceptions import ConnectionClosed

    with contextlib.suppress(ConnectionClosed, OSError):
        while data := server.recv(_MOST):
            browser.send(data)
    browser.close()
