"""What an HTTP server for boards answers (RFC 9110); the base is the standard library's server."""

from __future__ import annotations

import email.utils
import http.server
import mimetypes
import os
import socket
import time
import urllib.parse
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from runner.api import Duration, Size, Transfer
from runner.modules.servers.http_ranges import Part, matches, part_of
from runner.modules.servers.http_uploads import BadBody, TooLarge, Uploads
from runner.modules.servers.offered_files import Forbidden, NotOffered, OfferedFiles, plain

_SEND = 1024 * 1024
_READ_ON = 256 * 1024 * 1024


class Site(NamedTuple):
    """What a server has, and who is told of every request."""

    files: OfferedFiles
    uploads: Uploads | None
    upload_limit: Size
    silence: Duration
    record: Callable[[Transfer], object]


class Answers(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "runner"
    sys_version = ""
    site: Site

    def setup(self) -> None:
        """Begin; a TLS handshake is made here, in the connection's own thread."""
        self.request.settimeout(float(self.site.silence))
        if hasattr(self.request, "do_handshake"):
            self.request.do_handshake()
        super().setup()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base names it so
        """Say nothing: requests are recorded."""
        del format, args

    def do_GET(self) -> None:
        """Send a file, or a part of it."""
        self._get(body=True)

    def do_HEAD(self) -> None:
        """Send what GET would, without the body."""
        self._get(body=False)

    def do_PUT(self) -> None:
        """Keep a file, where that is allowed."""
        self._begin()
        if self.site.uploads is None:
            self._refuse_body(HTTPStatus.METHOD_NOT_ALLOWED, "this server takes no files", Allow="GET, HEAD")
            return
        name = plain(self._name)
        if not name:
            self._refuse_body(HTTPStatus.FORBIDDEN, f"{self._name!r} is no name for a file")
            return
        self._put(name, self.site.uploads)

    def _put(self, name: str, uploads: Uploads) -> None:
        chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
        announced = self.headers.get("Content-Length", "")
        if not chunked and not announced.isdigit():
            self._refuse_body(HTTPStatus.LENGTH_REQUIRED, "how long is it?")
            return
        length = None if chunked else int(announced)
        try:
            path, size, new = uploads.put(name, self.rfile, length, self.site.upload_limit)
        except TooLarge as error:
            self._refuse_body(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error))
        except (BadBody, OSError) as error:
            self._refuse_body(HTTPStatus.BAD_REQUEST, str(error))
        else:
            self._answer(HTTPStatus.CREATED if new else HTTPStatus.NO_CONTENT, {"Content-Length": "0"})
            self._tell(size, path=str(path))

    def _refuse_body(self, status: HTTPStatus, why: str, **headers: str) -> None:
        """Refuse what is being sent, and read on until the board has seen that: a reset would hide it."""
        self._refuse(status, why, Connection="close", **headers)
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_WR)
        left = _READ_ON
        while left > 0 and (data := self.rfile.read1(min(left, _SEND))):
            left -= len(data)

    def _begin(self) -> None:
        self._began = time.monotonic()
        self._status = HTTPStatus.OK
        self._name = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path).lstrip("/")

    def _get(self, *, body: bool) -> None:
        self._begin()
        try:
            file = self._found().open("rb")
        except NotOffered as error:
            self._refuse(HTTPStatus.NOT_FOUND, str(error))
            return
        except (Forbidden, PermissionError) as error:
            self._refuse(HTTPStatus.FORBIDDEN, str(error))
            return
        with file:
            self._send(file, body=body)

    def _found(self) -> Path:
        put = self.site.uploads.find(plain(self._name)) if self.site.uploads and plain(self._name) else None
        return put or self.site.files.find(self._name)

    def _send(self, file: BinaryIO, *, body: bool) -> None:
        found = os.fstat(file.fileno())
        tag = f'"{found.st_mtime_ns:x}-{found.st_size:x}"'
        headers = {
            "ETag": tag,
            "Last-Modified": email.utils.formatdate(found.st_mtime, usegmt=True),
            "Accept-Ranges": "bytes",
        }
        if matches(self.headers.get("If-None-Match", ""), tag):
            self._answer(HTTPStatus.NOT_MODIFIED, headers)
            self._tell(0)
            return
        try:
            part = self._part(found.st_size, tag, headers["Last-Modified"])
        except ValueError as error:
            text = f"bytes */{found.st_size}"
            self._refuse(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, str(error), **{"Content-Range": text})
            return
        self._send_part(file, part, found.st_size, headers, body=body)

    def _part(self, size: int, tag: str, modified: str) -> Part | None:
        """Return the range to send; all of it when the file is not what the board has a part of."""
        condition = self.headers.get("If-Range", "")
        if condition and condition not in {tag, modified}:
            return None
        return part_of(self.headers.get("Range", ""), size)

    def _send_part(
        self, file: BinaryIO, part: Part | None, size: int, headers: dict[str, str], *, body: bool
    ) -> None:
        start, end = part or Part(0, size)
        kind = mimetypes.guess_type(self._name)[0] or "application/octet-stream"
        headers |= {"Content-Type": kind, "Content-Length": str(end - start)}
        if part is not None:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        self._answer(HTTPStatus.OK if part is None else HTTPStatus.PARTIAL_CONTENT, headers)
        sent, problem = self._copy(file, start, end) if body else (0, "")
        self._tell(sent, problem=problem, complete=body and end == size)

    def _copy(self, file: BinaryIO, start: int, end: int) -> tuple[int, str]:
        """Send the bytes; return how many, and what went wrong."""
        file.seek(start)
        sent = 0
        try:
            while sent < end - start:
                block = file.read(min(_SEND, end - start - sent))
                if not block:
                    self.close_connection = True
                    return sent, "the file became shorter"
                self.wfile.write(block)
                sent += len(block)
            self.wfile.flush()
        except OSError as error:
            self.close_connection = True
            return sent, f"the connection broke: {error.strerror or error}"
        return sent, ""

    def _refuse(self, status: HTTPStatus, why: str, **headers: str) -> None:
        body = f"{status.value} {status.phrase}: {why}\n".encode()
        plain_text = {"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(body))}
        self._answer(status, {**plain_text, **headers})
        if self.command != "HEAD":
            self.wfile.write(body)
        self._tell(0, problem=f"{status.value} {status.phrase}")

    def _answer(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self._status = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _tell(self, count: int, *, problem: str = "", path: str = "", complete: bool = True) -> None:
        self.site.record(
            Transfer(
                file=self._name,
                peer=f"{self.client_address[0]}:{self.client_address[1]}",
                complete=complete and not problem,
                bytes=count,
                elapsed=Duration(time.monotonic() - self._began),
                problem=problem,
                method=self.command,
                status=int(self._status),
                range=self.headers.get("Range", ""),
                path=path,
            )
        )
