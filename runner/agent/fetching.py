"""What goes along when files of a request are fetched: headers and a token, to whom they are meant for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from runner.api.codec import FILE, is_file
from runner.api.values import Checksum, is_web
from runner.api.verdicts import RecipeFault

_PORTS = {"http": 80, "https": 443}
Origin = tuple[str, str, int]


@dataclass(frozen=True)
class Fetching:
    """Headers for the files of one request, and the servers that get them (RFC 6454: scheme, host, port)."""

    argument: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    origins: frozenset[Origin] = frozenset()

    def headers_for(self, url: str) -> Mapping[str, str]:
        """Return what goes along with a request; nothing to a server that no image is fetched from."""
        return self.headers if origin(url) in self.origins else {}

    def checksum(self, argument: str, beside: Mapping[str, Any]) -> str:
        """Return what a file has to be, by the checksum beside it; empty when that is not known yet."""
        said = beside.get("sha256") if argument == self.argument else None
        return Checksum(said).digits if isinstance(said, str) else ""


def fetching(argument: str, values: Mapping[str, Any]) -> Fetching:
    """Return how the files of encoded arguments are fetched, by `Module.fetches`."""
    if not argument:
        return Fetching()
    headers = {str(name): str(value) for name, value in (values.get("headers") or {}).items()}
    if values.get("bearer"):
        headers["Authorization"] = f"Bearer {values['bearer']}"
    for name, value in headers.items():
        if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
            raise RecipeFault(f"{name!r} is no name of an HTTP header (RFC 9110, 5.1)")
        if not value.isprintable() or not value.isascii():
            raise RecipeFault(f"the HTTP header {name!r} has characters that it cannot have")
    return Fetching(argument, headers, frozenset(origin(url) for url in _urls(values, argument)))


def origin(url: str) -> Origin:
    """Return the server that a URL is of.

    >>> origin("https://Images.lab/a?b") == origin("https://images.lab:443/c")
    True
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise RecipeFault(f"{parts.hostname}: {error}") from error
    return parts.scheme, (parts.hostname or "").lower(), port or _PORTS.get(parts.scheme, 0)


def _urls(values: Mapping[str, Any], argument: str) -> Iterator[str]:
    for name, value in values.items():
        if name == argument and is_file(value) and is_web(value[FILE]):
            yield value[FILE]
        elif isinstance(value, dict):
            yield from _urls(value, argument)
