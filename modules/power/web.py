"""Requests to a plug's own web server, over a connection that stays open while the server lets it."""

from __future__ import annotations

import http.client
import select
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from runner.api import Duration, LabError, Unreachable
from runner.api.json_path import shown
from runner.modules.power.digest import Challenge, Identity, challenges

_LARGEST = 1 << 20
"""Bytes of an answer that are read: no plug has more to say."""


def wrong_url(url: str) -> str:
    """Say why a plug cannot have this URL; empty when it can.

    >>> wrong_url("http://10.0.0.17"), wrong_url("10.0.0.17")
    ('', "'10.0.0.17' is no URL of a plug: write http://ADDRESS")
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return f"{url!r} is no URL of a plug: write http://ADDRESS"
    if parts.path.strip("/") or parts.query:
        return f"{url!r}: the path belongs to the requests"
    if "@" in parts.netloc:
        return "who one is does not belong into a URL: write user and password"
    try:
        _ = parts.port
    except ValueError as error:
        return f"{url!r}: {error}"
    return ""


@dataclass(frozen=True)
class Answer:
    """What a server has answered."""

    status: int
    reason: str
    text: str
    challenges: tuple[Challenge, ...] = ()
    location: str = ""


@dataclass
class Web:
    """A plug's web server, at a URL without a path."""

    url: str
    limit: Duration
    user: str = ""
    password: str = ""
    auth: Literal["auto", "basic", "digest"] = "auto"
    ca: str | None = None
    insecure: bool = False
    _connection: http.client.HTTPConnection | None = None

    def __post_init__(self) -> None:
        """Take the URL apart; `wrong_url` has said before what is wrong with it."""
        parts = urlsplit(self.url)
        self._host, self._port = parts.hostname or "", parts.port
        self._identity = Identity(self.user, self.password, self.auth)
        self._tls = parts.scheme == "https"

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        unsaid: str = "",
    ) -> str:
        """Return the text of the answer; raise LabError unless its status is 2xx.

        `unsaid` is sent behind the path, and in no message.
        """
        whole = path + unsaid
        answer = self._once(method, whole, path, headers, body)
        if answer.status == 401 and self._identity.take(answer.challenges):
            answer = self._once(method, whole, path, headers, body)
        if answer.status == 401:
            raise self._refused(answer)
        if not 200 <= answer.status < 300:
            raise LabError(
                f"{self.url}{path} answers {answer.status} {answer.reason}"
                + (f", expected 2xx: {shown(answer.text)}" if answer.text else ", expected 2xx"),
                evidence={"url": self.url + path, "status": answer.status, "answer": answer.text[:1000]},
                hint=f"it leads to {answer.location}" if answer.location else "",
            )
        return answer.text

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
            response = connection.getresponse()
            data = response.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            self.close()
            raise LabError(f"{self.url}{path} answers more than {_LARGEST} bytes")
        if response.will_close:
            self.close()
        return Answer(
            status=response.status,
            reason=response.reason,
            text=data.decode(errors="replace"),
            challenges=tuple(challenges(response.headers.get_all("WWW-Authenticate") or ())),
            location=response.headers.get("Location", ""),
        )

    def _open(self) -> http.client.HTTPConnection:
        """Return the connection, a new one when the server has ended the last meanwhile."""
        old = self._connection
        if old is not None and old.sock is not None and not select.select([old.sock], [], [], 0)[0]:
            return old
        self.close()
        made = (
            http.client.HTTPSConnection(self._host, self._port, timeout=self.limit, context=self._trust())
            if self._tls
            else http.client.HTTPConnection(self._host, self._port, timeout=self.limit)
        )
        made.connect()
        self._connection = made
        return made

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
