"""One HTTP request: redirects that keep secrets at home, and every error of the network in one place."""

from __future__ import annotations

import base64
import hashlib
import http.client
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

from runner.api import LabError, RecipeFault, Unreachable, Unsupported

_Hash = Callable[[str], str]

_PRIVATE = ("authorization", "cookie", "proxy-authorization", "x-amz-", "x-ms-", "x-goog-")
"""Headers, or their beginnings, that another origin must not see."""


class Login(NamedTuple):
    """Who asks, and by which scheme of RFC 7617 and 7616."""

    scheme: str
    user: str
    password: str


class Asked(NamedTuple):
    """A request."""

    url: str
    method: str
    headers: Mapping[str, str]
    body: bytes | None
    login: Login | None
    context: ssl.SSLContext
    redirects: int
    timeout: float


class Reply(NamedTuple):
    """The head of an answer, and its body to be read."""

    status: int
    headers: Mapping[str, str]
    url: str
    body: IO[bytes]


@contextmanager
def asked(request: Asked) -> Iterator[Reply]:
    """Ask, and give the answer, whatever its status is; raise Unreachable when there is none.

    Proxies of the environment are not used: instruments and boards are in the lab.
    """
    shown = without_query(request.url)
    with translated(shown, request.timeout):
        try:
            answer = _opener(request).open(_request(request), timeout=request.timeout)
        except urllib.error.HTTPError as error:
            answer = error
    with answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        yield Reply(answer.status, headers, answer.url, answer)


@contextmanager
def translated(shown: str, timeout: float) -> Iterator[None]:
    """Turn what the library raises into errors of the lab."""
    try:
        yield
    except TimeoutError as error:
        raise Unreachable(
            f"{shown} says nothing for {timeout:g} s", hint="'silence' gives it more"
        ) from error
    except ssl.SSLError as error:
        raise _tls(shown, error) from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise Unreachable(
                f"{shown} says nothing for {timeout:g} s", hint="'silence' gives it more"
            ) from error
        if isinstance(error.reason, ssl.SSLError):
            raise _tls(shown, error.reason) from error
        raise Unreachable(f"cannot reach {shown}: {_reason(error.reason)}") from error
    except http.client.InvalidURL as error:
        raise RecipeFault(f"{shown!r} is no URL: {error}") from error
    except http.client.HTTPException as error:
        raise LabError(f"{shown} does not speak HTTP: {type(error).__name__}: {error}") from error
    except OSError as error:
        raise Unreachable(f"cannot reach {shown}: {_reason(error)}") from error


def without_query(url: str) -> str:
    """Return a URL without user, query and fragment, which may hold secrets.

    >>> without_query("https://me:pw@host/path?token=x#y")
    'https://host/path'
    """
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _tls(shown: str, error: ssl.SSLError) -> LabError:
    hint = "'ca_cert' names the file with its authority" if "CERTIFICATE_VERIFY_FAILED" in str(error) else ""
    return LabError(f"no TLS with {shown}: {getattr(error, 'verify_message', '') or error.reason}", hint=hint)


def _reason(reason: object) -> str:
    return str(getattr(reason, "strerror", None) or reason)


def _request(request: Asked) -> urllib.request.Request:
    try:
        made = urllib.request.Request(request.url, data=request.body, method=request.method)  # noqa: S310
    except ValueError as error:
        raise RecipeFault(f"{without_query(request.url)!r} is no URL: {error}") from error
    for name, value in request.headers.items():
        made.add_header(name, value)
    login = request.login
    if login is not None and login.scheme == "basic":
        both = f"{login.user}:{login.password}".encode()
        made.add_header("Authorization", f"Basic {base64.b64encode(both).decode()}")
    return made


def _opener(request: Asked) -> urllib.request.OpenerDirector:
    handlers: list[urllib.request.BaseHandler] = [
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(context=request.context),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        _Redirects(request.redirects),
    ]
    login = request.login
    if login is not None and login.scheme == "digest":
        passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        passwords.add_password(None, request.url, login.user, login.password)
        handlers.append(_Digest(passwords))
    director = urllib.request.OpenerDirector()
    for each in handlers:
        director.add_handler(each)
    return director


class _Digest(urllib.request.HTTPDigestAuthHandler):
    """Knows SHA-256 (RFC 7616, 3.2) besides the library's MD5: plugs of Shelly ask for it."""

    def get_algorithm_impls(self, algorithm: str) -> tuple[_Hash, Callable[[str, str], str]]:
        """Return H and KD; raise Unsupported for an algorithm that we do not know."""
        known = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
        if algorithm not in known:
            raise Unsupported(f"the server wants digests by {algorithm!r}, not {' or '.join(known)}")

        def hashed(text: str) -> str:
            return known[algorithm](text.encode()).hexdigest()

        return hashed, lambda secret, data: hashed(f"{secret}:{data}")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, and takes credentials away when they lead to another origin."""

    max_redirections = max_repeats = 1000  # ours is less

    def __init__(self, limit: int) -> None:
        self._left = limit

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Return the next request; None to have this answer taken as it is."""
        if self._left <= 0:
            return None
        self._left -= 1
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None and _origin(newurl) != _origin(req.full_url):
            for name in list(following.headers):
                if name.lower().startswith(_PRIVATE):
                    following.remove_header(name)
        return following


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
