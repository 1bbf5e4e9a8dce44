"""An HTTP server on a bench's host, as a device of the bench."""

from __future__ import annotations

import os
import select
import socket
import socketserver
import ssl
import sys
import threading
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from runner.api import (
    Driver,
    Duration,
    FilePath,
    HttpFiles,
    LabError,
    Misfit,
    Options,
    RecipeFault,
    Secret,
    Size,
    arg,
)
from runner.modules.servers.addresses import family, unusable
from runner.modules.servers.common import FilesForBoards
from runner.modules.servers.http_answers import Answers, Site
from runner.modules.servers.http_uploads import Uploads
from runner.modules.servers.offered_files import plain

if TYPE_CHECKING:
    from runner.api import Context


class Tls(Options):
    """The server's certificate."""

    cert: FilePath = arg(help="the certificate and those that it is signed with, in PEM")
    key: FilePath = arg(help="its private key, in PEM")
    password: Secret | None = arg(default=None, secret=True, help="of the key")


class HttpServer(FilesForBoards, Driver, HttpFiles):
    """An HTTP server on the bench's host, for boards that load files from there, or put some there.

    GET and HEAD with ranges and entity tags (RFC 9110), PUT where `uploads` allows it. Nothing
    listens until `http_serve` has given it a file, and everything ends with the run, with what
    was put there.

    Example::

        devices:
          http: {driver: http_server, advertise: 192.168.7.1}
          logs: {driver: http_server, uploads: true, port: 8080}
    """

    private = True

    root: str = arg(
        default="", help="a folder of the host whose files are served, too; links that lead out are refused"
    )
    bind: str = arg(default="0.0.0.0", help="the address that it listens on")  # noqa: S104 - boards are outside
    advertise: str = arg(
        default="",
        help="the address by which boards reach it; empty: that which it listens on, or the host's own",
    )
    port: int = arg(default=0, help="the TCP port; 0: any that is free", minimum=0, maximum=65535)
    tls: Tls | None = arg(default=None, help="serve https")
    uploads: bool = arg(default=False, help="take files by PUT, for the time of the run")
    upload_limit: Size = arg(default=Size("4GiB"), help="the largest file that is taken")
    silence: Duration = arg(default=Duration("60s"), help="how long a connection may say nothing")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say which address cannot be used."""
        return unusable(given)

    def open(self) -> None:
        """Judge the addresses; nothing listens yet."""
        self.prepare()
        self._server: _Server | None = None
        self._uploads = Uploads() if self.uploads else None

    def close(self) -> None:
        """Stop, and remove what was put here."""
        self.stop()
        if self._uploads is not None:
            self._uploads.close()

    def start(self, context: Context) -> None:
        """Listen; raise LabError when the port cannot be had."""
        del context
        if self.running:
            return
        self.host()
        site = Site(self._files, self._uploads, self.upload_limit, self.silence, self._record.add)
        wrap = _context(self.tls) if self.tls else None
        try:
            self._server = _Server((self.bind, self.port), site, wrap)
        except OSError as error:
            raise LabError(
                f"cannot listen on {self.bind} port {self.port}/tcp for HTTP: {error.strerror}",
                evidence={"bind": self.bind, "port": self.port},
                hint="port 0 takes any that is free",
            ) from error
        self._server.begin()

    def stop(self) -> None:
        """Give the port back, and end the connections."""
        server, self._server = self._server, None
        if server is not None:
            server.end()

    @property
    def running(self) -> bool:
        """Whether it listens."""
        return self._server is not None

    def port_number(self) -> int:
        """Return the port that it listens on."""
        return self.port if self._server is None else int(self._server.server_address[1])

    def url(self, name: str = "") -> str:
        """Return the URL of a file, with its name quoted."""
        host = f"[{self.host()}]" if ":" in self.host() else self.host()
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{host}:{self.port_number()}/{urllib.parse.quote(plain(name))}"


class _Server(socketserver.ThreadingTCPServer):
    """Listens, with a thread for each connection; `end` closes them all."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], site: Site, wrap: ssl.SSLContext | None) -> None:
        self.address_family = family(address[0])
        self._wrap = wrap
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, type("SiteAnswers", (Answers,), {"site": site}))

    def begin(self) -> None:
        self._stopped, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._accept, name="http", daemon=True)
        self._thread.start()

    def end(self) -> None:
        os.close(self._stop)
        self._thread.join()
        os.close(self._stopped)
        with self._lock:
            for connection in self._connections:
                _hang_up(connection)
        self.server_close()

    def _accept(self) -> None:
        polling = select.poll()
        polling.register(self, select.POLLIN)
        polling.register(self._stopped, select.POLLIN | select.POLLHUP)
        while self._stopped not in dict(polling.poll()):
            try:
                connection, peer = self.get_request()
            except OSError:
                continue  # who wanted to connect is gone again
            self.process_request(connection, peer)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, peer = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._wrap is not None:
            connection = self._wrap.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._connections.add(connection)
        return connection, peer

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let a connection end that broke, as its board has seen; anything else is our fault, and shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is gone already


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(tls.cert, tls.key, tls.password or "")
    except (OSError, ssl.SSLError) as error:
        raise RecipeFault(
            f"cannot use the certificate {tls.cert!r} with the key {tls.key!r}: {error}",
            hint="both in PEM, the server's own certificate first",
        ) from error
    return context
