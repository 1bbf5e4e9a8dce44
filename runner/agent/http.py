"""Asks web servers for files: redirects, credentials, proxies, and errors that say what to do."""

from __future__ import annotations

import base64
import http.client
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

from runner.agent.fetching import origin
from runner.api.verdicts import LabError, Unreachable

SILENCE = 30.0
"""Seconds without a byte of the server's until it is taken for dead."""
_HEADERS = {"User-Agent": "runner", "Accept-Encoding": "identity"}
_MOST_REDIRECTS = 10
_CREDENTIALS = ("authorization", "cookie", "proxy-authorization")
_CREDENTIALS_OF_STORES = ("x-amz-", "x-ms-", "x-goog-")


def answer_to(address: str, headers: Mapping[str, str]) -> Any:
    """Ask a server for a file, and return its answer; redirects are followed, at most 10.

    Credentials do not follow to another server. Raise Unreachable when it does not answer, LabError
    for what it answers.
    """
    opener = urllib.request.build_opener(_Redirects(address))
    try:
        request = urllib.request.Request(address, headers={**_HEADERS, **headers})  # noqa: S310 - see is_url
        return opener.open(request, timeout=SILENCE)
    except urllib.error.HTTPError as error:
        error.close()
        raise LabError(
            f"{shown(address)}: the server answers {error.code} {error.reason}",
            evidence={"status": error.code},
            hint=_HINTS.get(error.code, ""),
        ) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise Unreachable(
            f"{shown(address)}: {reason}",
            hint="the host of the bench fetches it: can it reach that server?",
        ) from error


def without_credentials(address: str) -> tuple[str, Mapping[str, str]]:
    """Return a URL without user and password, and the header that says them (RFC 7617).

    >>> without_credentials("https://ana:secret@images.lab/a.img")
    ('https://images.lab/a.img', {'Authorization': 'Basic YW5hOnNlY3JldA=='})
    """
    parts = urllib.parse.urlsplit(address)
    user, at, server = parts.netloc.rpartition("@")
    if not at:
        return address, {}
    said = base64.b64encode(urllib.parse.unquote(user).encode()).decode()
    return address.replace(parts.netloc, server, 1), {"Authorization": f"Basic {said}"}


def shown(address: str) -> str:
    """Return a URL for people to read: without the query, which may be a signature.

    >>> shown("https://ana:secret@images.lab/a%20b.img?X-Amz-Signature=1#sha256=0")
    'https://images.lab/a%20b.img?…'
    """
    parts = urllib.parse.urlsplit(address)
    query = "?…" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{query}"


_HINTS: Mapping[int, str] = {
    401: "give 'bearer' or 'headers', or write user and password into the URL",
    403: "it knows who asks, and refuses: is a signed URL too old, or are the credentials those of another?",
    404: "is the path right? The host of the bench asked for it",
}


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects with the same method; what is secret stays with the server it was meant for.

    Without it urllib would send all headers anywhere, and know no 308 before Python 3.11.
    """

    max_repeats = max_redirections = 2 * _MOST_REDIRECTS  # urllib's own limits come after ours

    def __init__(self, address: str) -> None:
        self._first = address
        self._followed = 0

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request:
        del code, msg, headers
        self._followed += 1
        fp.close()
        if self._followed > _MOST_REDIRECTS:
            raise LabError(f"{shown(self._first)} leads on and on: {_MOST_REDIRECTS} redirects were followed")
        newurl, given = without_credentials(newurl)
        self._refuse(req.full_url, newurl)
        kept = dict(req.header_items())
        if origin(newurl) != origin(req.full_url):
            kept = {name: value for name, value in kept.items() if not _is_secret(name)}
        kept.pop("Host", None)
        return urllib.request.Request(newurl, headers={**kept, **given})  # noqa: S310 - looked at before

    http_error_308 = urllib.request.HTTPRedirectHandler.http_error_302

    def _refuse(self, old: str, new: str) -> None:
        if not new.startswith(("http://", "https://")):
            raise LabError(f"{shown(self._first)} leads to {shown(new)}, which is no web server")
        if old.startswith("https:") and not new.startswith("https:"):
            raise LabError(
                f"{shown(self._first)} leads to {shown(new)}, which anybody could have changed",
                hint="name that address, with #sha256=… at its end",
            )


def _is_secret(header: str) -> bool:
    return header.lower() in _CREDENTIALS or header.lower().startswith(_CREDENTIALS_OF_STORES)
