"""What the inventory says of a virtual device, and what of that cannot be right."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from runner.api import Duration

_WRITE = "write https://HOST, as https://app.corellium.com"


@dataclass(frozen=True)
class Wanted:
    """What the inventory says of the device."""

    name: str
    project: str
    model: str
    os: str
    build: str
    poll_interval: Duration
    patience: Duration
    limit: Duration
    """Of a single question, and of the time for which an API that is busy may put it off."""


def address_of(api: str) -> str:
    """Return the URL without a path.

    >>> address_of("app.corellium.com"), address_of("https://lab.example:8443/api/")
    ('https://app.corellium.com', 'https://lab.example:8443')
    """
    parts = urlsplit(api if "://" in api else f"https://{api}")
    return f"{parts.scheme}://{parts.netloc}"


def wrong_address(api: str) -> tuple[str, str] | None:
    """Say what is wrong with the API's address, and what to write; None when nothing is.

    The token may only go unencrypted to where nobody can read it on its way: this machine.

    >>> wrong_address("http://lab.example")
    ("'http://lab.example' is not encrypted, and the token would be readable on its way", 'write https://')
    """
    parts = urlsplit(api if "://" in api else f"https://{api}")
    try:
        fine = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or "@" in parts.netloc:
        return f"{api!r} is no address of the API", _WRITE
    if parts.path.rstrip("/") not in ("", "/api") or parts.query or parts.fragment:
        return f"{api!r}: the path belongs to the requests", _WRITE
    if parts.scheme == "http" and not _is_here(parts.hostname or ""):
        return f"{api!r} is not encrypted, and the token would be readable on its way", "write https://"
    return None


def wrong_token(token: str) -> tuple[str, str] | None:
    """Say what is wrong with a token, and never the token; None when nothing is."""
    stripped = token.strip()
    if not stripped:
        return "the token is empty", "the web interface makes one: your profile, API"
    if not stripped.isascii() or not stripped.isprintable() or " " in stripped:
        return "the token has characters that no token has", "is it one line, without quotes?"
    return None


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
