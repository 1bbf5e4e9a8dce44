"""Requests to an instrument's own web server, over a connection that stays open while the server lets it."""

from __future__ import annotations

import http.client
import select
import socket as socket_
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from runner.api.digest import Challenge, Identity, challenges
from runner.api.json_path import shown
from runner.api.values import Duration
from runner.api.verdicts import LabError, Unreachable


@dataclass(frozen=True)
class Answer:
    """What a server has answered."""

    status: int
    reason: str
    body: bytes
    headers: Mapping[str, str]
    """By their names in lower case."""
    challenges: tuple[Challenge, ...] = ()

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")


@dataclass
class Web:
    """A web server, at a URL without a path."""

    url: str
    limit: Duration
    user: str = ""
    password: str = ""
    auth: Literal["auto", "basic", "digest"] = "auto"
    ca: str | None = None
    insecure: bool = False
    socket: str = ""
    """The path of a Unix socket that is connected to instead of the URL's address."""
    largest: int = 1 << 20
    """Bytes of an answer that are read; more are an error."""
    _connection: http.client.HTTPConnection | None = None
    _wire: socket_.socket | None = None

    def __post_init__(self) -> None:
        """Take the URL apart; who made it has said before what is wrong with it."""
        parts = urlsplit(self.url)
        self._host, self._port = parts.hostname or "", parts.port
        self._identity = Identity(self.user, self.password, self.auth)
        self._tls = parts.scheme == "https"

    def fetch(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        unsaid: str = "",
    ) -> Answer:
        """Return the whole answer; raise LabError unless its status is 2xx.

        `unsaid` is sent behind the path, and in no message.
        """
        whole = path + unsaid
        answer = self._once(method, whole, path, headers, body)
        if answer.status == 401 and self._identity.take(answer.challenges):
            answer = self._once(method, whole, path, headers, body)
        self._refuse(answer, path)
        return answer

    def exchange(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Return the whole answer, whatever its status is, and wherever it leads."""
        return self._once(method, path, path, headers, body)

    @contextmanager
    def streamed(self, path: str) -> Iterator[http.client.HTTPResponse]:
        """Give an answer that is to be read as it comes; the connection ends with it.

        What goes wrong while it is read is raised as an error of the lab, too.
        """
        try:
            with self._translated(path), self._begun(path) as response:
                yield response
        finally:
            self.close()

    def _begun(self, path: str) -> http.client.HTTPResponse:
        while True:
            connection = self._open()
            connection.request("GET", path, headers=self._identity.header("GET", path))
            response = connection.getresponse()
            if 200 <= response.status < 300:
                return response
            answer = self._answer(response, path)
            if answer.status != 401 or not self._identity.take(answer.challenges):
                self._refuse(answer, path)

    def abort(self) -> None:
        """Have whoever waits for an answer get an error at once; safe from any thread."""
        wire = self._wire
        if wire is not None:
            with suppress(OSError):  # it has ended by itself
                wire.shutdown(socket_.SHUT_RDWR)

    def wait_at_most(self, seconds: float) -> None:
        """Let what is read next take so long, and no longer than the limit."""
        if self._wire is not None:
            self._wire.settimeout(min(max(seconds, 1e-3), self.limit))

    @property
    def idle(self) -> bool:
        """Whether nothing has come that was not read yet: what is read next comes after now."""
        wire = self._wire
        return wire is not None and not _unread(wire)

    def _refuse(self, answer: Answer, path: str) -> None:
        """Raise what an answer without a status of 2xx is."""
        if answer.status == 401:
            raise self._refused(answer)
        if not 200 <= answer.status < 300:
            leads = answer.headers.get("location", "")
            raise LabError(
                f"{self.url}{path} answers {answer.status} {answer.reason}"
                + (f", expected 2xx: {shown(answer.text)}" if answer.text else ", expected 2xx"),
                evidence={"url": self.url + path, "status": answer.status, "answer": answer.text[:1000]},
                hint=f"it leads to {leads}" if leads else "",
            )

    def close(self) -> None:
        """End the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _once(
        self, method: str, whole: str, path: str, headers: Mapping[str, str] | None, body: bytes | None
    ) -> Answer:
        said = self._identity.header(method, whole)
        with self._translated(path):
            connection = self._open()
            connection.request(method, whole, body, {**(headers or {}), **said})
            return self._answer(connection.getresponse(), path)

    def _answer(self, response: http.client.HTTPResponse, path: str) -> Answer:
        with response:
            data = response.read(self.largest + 1)
        if len(data) > self.largest:
            self.close()
            raise LabError(f"{self.url}{path} answers more than {self.largest} bytes")
        announced = response.headers.get("Content-Length", "")
        if announced.isdigit() and len(data) < int(announced):
            raise http.client.IncompleteRead(data, int(announced) - len(data))
        if response.will_close:
            self.close()
        return Answer(
            status=response.status,
            reason=response.reason,
            body=data,
            headers={name.lower(): text for name, text in response.headers.items()},
            challenges=tuple(challenges(response.headers.get_all("WWW-Authenticate") or ())),
        )

    def _open(self) -> http.client.HTTPConnection:
        """Return the connection, a new one when the server has ended the last meanwhile."""
        old = self._connection
        if old is not None and old.sock is not None and not _unread(old.sock):
            return old
        self.close()
        made = self._made()
        made.connect()
        self._connection, self._wire = made, made.sock
        return made

    def _made(self) -> http.client.HTTPConnection:
        if self.socket:
            return _OverUnix(self.socket, self.limit)
        if self._tls:
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=self.limit, context=self._trust()
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=self.limit)

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.ca)
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _refused(self, answer: Answer) -> LabError:
        asked = ", ".join(
            each.scheme.capitalize() + (f" {each.algorithm}" if each.scheme == "digest" else "")
            for each in answer.challenges
        )
        self._identity.forget()
        who = f"user {self.user!r}" if self.user else "who does not say who it is"
        return LabError(
            f"{self.url} refuses {who}: 401 {answer.reason}" + (f" (it asks for {asked})" if asked else ""),
            evidence={"url": self.url, "user": self.user, "asked": asked},
            hint="are 'user' and 'password' right?",
        )

    @contextmanager
    def _translated(self, path: str) -> Iterator[None]:
        """Turn the errors of HTTP and of the network into those of the lab: the only place for that."""
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            self.close()
            raise LabError(
                f"{self.url} shows a certificate that is not trusted: {error.verify_message}",
                hint="'ca' names the file with the certificate that it is signed by",
            ) from error
        except ssl.SSLError as error:
            self.close()
            raise LabError(f"{self.url}: no TLS with it: {error}") from error
        except TimeoutError as error:
            self.close()
            raise Unreachable(
                f"{self.url}{path} did not answer within {self.limit}",
                evidence={"url": self.url + path, "limit": float(self.limit)},
                hint="a slow one gets more time by 'limit'",
            ) from error
        except http.client.HTTPException as error:
            self.close()
            raise LabError(
                f"{self.url}{path} does not speak HTTP: {type(error).__name__}: {error}",
                evidence={"url": self.url + path},
            ) from error
        except OSError as error:
            self.close()
            raise Unreachable(
                f"{self.url} cannot be reached: {error.strerror or error}", evidence={"url": self.url}
            ) from error


def _unread(wire: socket_.socket) -> bool:
    """Tell whether something has come, or the end."""
    if isinstance(wire, ssl.SSLSocket) and wire.pending():
        return True
    poll = select.poll()
    poll.register(wire, select.POLLIN)
    return bool(poll.poll(0))


class _OverUnix(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, limit: float) -> None:
        super().__init__("localhost", timeout=limit)
        self._path = path

    def connect(self) -> None:
        self.sock = socket_.socket(socket_.AF_UNIX)
        try:
            self.sock.settimeout(self.timeout)
            self.sock.connect(self._path)
        except OSError:
            self.close()
            raise
