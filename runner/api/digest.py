"""Who we are, said to an HTTP server: Basic (RFC 7617) and Digest (RFC 7616).

Written here because no library fits: that of Python knows no SHA-256 in digests before 3.14 and ends
the connection after each request, and requests and httpx need certifi's data file, which cannot
travel to a host.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

_SCHEME = re.compile(r"(?:^|,\s*)(basic|digest)(?:\s+|$)", re.IGNORECASE)
_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_HASHES = {"SHA-256": "sha256", "SHA-512-256": "sha512_256", "MD5": "md5"}
"""The strongest first, as RFC 7616, section 3.7 wants it."""


@dataclass(frozen=True)
class Challenge:
    """What a server asks to know (RFC 7235, section 4.1)."""

    scheme: Literal["basic", "digest"]
    parameters: Mapping[str, str]

    @property
    def algorithm(self) -> str:
        """The digest's algorithm, in upper case; without one it is MD5."""
        return self.parameters.get("algorithm", "MD5").upper()

    @property
    def rank(self) -> int:
        """How good it is: lower is better; one that we cannot answer is worse than Basic."""
        known = list(_HASHES)
        if self.scheme == "basic":
            return len(known)
        name = self.algorithm.removesuffix("-SESS")
        usable = name in known and self.qop is not None
        return known.index(name) if usable else len(known) + 1

    @property
    def answerable(self) -> bool:
        """Whether we can answer it."""
        return self.rank <= len(_HASHES)

    @property
    def qop(self) -> Literal["auth", ""] | None:
        """The quality of protection that we choose; None when there is none that we know."""
        offered = [each.strip() for each in self.parameters.get("qop", "").lower().split(",")]
        return "auth" if "auth" in offered else "" if offered == [""] else None


def challenges(headers: Iterable[str]) -> list[Challenge]:
    """Read the headers ``WWW-Authenticate``; the best challenge comes first.

    >>> [each.scheme for each in challenges(['Basic realm="a, b", Digest realm="c", nonce="1"'])]
    ['digest', 'basic']
    """
    found: list[Challenge] = []
    for header in headers:
        _, *parts = _SCHEME.split(header)
        for scheme, rest in zip(parts[::2], parts[1::2], strict=True):
            parameters = {
                name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else plain
                for name, quoted, plain in _PARAMETER.findall(rest)
            }
            found.append(Challenge("basic" if scheme.lower() == "basic" else "digest", parameters))
    return sorted(found, key=lambda challenge: challenge.rank)


class Identity:
    """Who we are to one server: says it as the server wants it, with as few words as it can."""

    def __init__(self, user: str, password: str, auth: Literal["auto", "basic", "digest"]) -> None:
        """Know the name; an empty one says nothing. `basic` is said without being asked."""
        self._user = user
        self._password = password
        self._auth = auth
        self._challenge: Challenge | None = None
        self._count = 0

    def header(self, method: str, uri: str) -> dict[str, str]:
        """Return the header ``Authorization`` of a request, if there is to be one."""
        asked = self._challenge.scheme if self._challenge else self._auth
        if not self._user or (self._challenge is None and asked != "basic"):
            return {}
        if self._challenge is None or asked == "basic":
            return {"Authorization": basic(self._user, self._password)}
        self._count += 1
        said = digest(self._challenge, self._user, self._password, method, uri, self._count)
        return {"Authorization": said}

    def take(self, asked: Iterable[Challenge]) -> bool:
        """Take the best challenge that we can and may answer; tell whether it is another than before."""
        usable = [each for each in asked if each.answerable and self._auth in {"auto", each.scheme}]
        before, self._count = self._challenge, 0
        self._challenge = usable[0] if usable and self._user else None
        return self._challenge is not None and self._challenge != before

    def forget(self) -> None:
        """Begin anew with the next request."""
        self._challenge = None


def basic(user: str, password: str) -> str:
    """Return the header ``Authorization`` of Basic (RFC 7617, section 2)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def digest(
    challenge: Challenge, user: str, password: str, method: str, uri: str, count: int, cnonce: str = ""
) -> str:
    """Return the header ``Authorization`` of Digest (RFC 7616, section 3.4) for the `count`-th request.

    The example of RFC 7616, section 3.9.1:

    >>> asked = challenges(['Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, '
    ...     'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"'])[0]
    >>> said = digest(asked, "Mufasa", "Circle of Life", "GET", "/dir/index.html", 1,
    ...     "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
    >>> "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" in said
    True
    """
    given = challenge.parameters
    realm, nonce, qop = given.get("realm", ""), given.get("nonce", ""), challenge.qop
    name = _HASHES[challenge.algorithm.removesuffix("-SESS")]

    def hashed(*parts: str) -> str:
        return hashlib.new(name, ":".join(parts).encode()).hexdigest()

    cnonce = cnonce or secrets.token_hex(16)
    times = f"{count:08x}"
    secret = hashed(user, realm, password)
    if challenge.algorithm.endswith("-SESS"):
        secret = hashed(secret, nonce, cnonce)
    between = (nonce, times, cnonce, qop) if qop else (nonce,)
    said = {
        "username": _quoted(user),
        "realm": _quoted(realm),
        "nonce": _quoted(nonce),
        "uri": _quoted(uri),
        "response": _quoted(hashed(secret, *between, hashed(method, uri))),
        **({"algorithm": given["algorithm"]} if "algorithm" in given else {}),
        **({"opaque": _quoted(given["opaque"])} if "opaque" in given else {}),
        **({"qop": qop, "nc": times, "cnonce": _quoted(cnonce)} if qop else {}),
    }
    return "Digest " + ", ".join(f"{name}={value}" for name, value in said.items())


def _quoted(text: str) -> str:
    escaped = re.sub(r'(["\\])', r"\\\1", text)
    return f'"{escaped}"'
