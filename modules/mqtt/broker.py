"""Where an MQTT broker is, and how one is let in."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from runner.api import FilePath, Misfit, Options, Secret, arg

Transport = Literal["tcp", "websockets", "unix"]
_SCHEMES: dict[str, tuple[Transport, bool, int]] = {
    "mqtt": ("tcp", False, 1883),
    "mqtts": ("tcp", True, 8883),
    "ws": ("websockets", False, 80),
    "wss": ("websockets", True, 443),
    "unix": ("unix", False, 1883),
}


class Place(NamedTuple):
    """What an address means. `host` is the path of a Unix socket, `path` that of a WebSocket."""

    transport: Transport
    tls: bool
    host: str
    port: int
    path: str


class Broker(Options):
    """An MQTT broker."""

    address: str = arg(
        primary=True,
        help="host or host:port; or a URL: mqtt://, mqtts:// (TLS), ws://host:port/path, wss://, unix:///path",
        examples=("broker.lab", "mqtts://broker.lab", "ws://broker.lab:9001/mqtt"),
    )
    username: str = arg(default="", help="the user's name; empty: none is sent")
    password: Secret = arg(default=Secret(""), help="the user's password", secret=True)
    client_id: str = arg(default="", help="our name; empty: one that nobody else has")
    ca: FilePath | None = arg(
        default=None, help="the certificates that are trusted (PEM), instead of the system's"
    )
    certificate: FilePath | None = arg(default=None, help="our own certificate (PEM), where one is asked for")
    key: FilePath | None = arg(default=None, help="its key (PEM), when it is in a file of its own")
    insecure: bool = arg(
        default=False, help="true: do not look at the broker's certificate; whoever answers gets the password"
    )
    version: Literal["3.1.1", "5"] = arg(default="3.1.1", help="the version of MQTT")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say what is wrong with the address, and which certificates nobody looks at."""
        try:
            place = place_of(given["address"])
        except ValueError as error:
            yield Misfit("address", str(error))
            return
        files = [name for name in ("ca", "certificate", "key", "insecure") if given.get(name)]
        if files and not place.tls:
            hint = f"write mqtts://{place.host}, or leave {', '.join(files)} out"
            yield Misfit(
                "address", f"{given['address']!r} is not encrypted, so no certificate is looked at", hint
            )
        if given.get("key") and not given.get("certificate"):
            yield Misfit("key", "a key is of no use without its certificate", "add certificate: FILE")

    @property
    def place(self) -> Place:
        """What the address means."""
        return place_of(self.address)

    @property
    def where(self) -> str:
        """What to call it in messages."""
        return f"MQTT broker {self.address}"

    @property
    def node(self) -> str:
        """Return it as a host's policy names it: a URL, or the path of a socket."""
        place = self.place
        if place.transport == "unix":
            return place.host
        return self.address if "://" in self.address else f"mqtt://{self.address}"

    def trust(self) -> ssl.SSLContext:
        """Return what is trusted, and what we show."""
        context = ssl.create_default_context(cafile=self.ca)
        if self.certificate:
            context.load_cert_chain(self.certificate, self.key)
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def place_of(address: str) -> Place:
    """Read an address; raise ValueError with one sentence when it is none.

    >>> place_of("broker.lab")
    Place(transport='tcp', tls=False, host='broker.lab', port=1883, path='')
    >>> place_of("wss://broker.lab/mqtt").port, place_of("unix:///run/mqtt").host
    (443, '/run/mqtt')
    """
    url = urlsplit(address if "://" in address else f"mqtt://{address}")
    if url.scheme not in _SCHEMES:
        raise ValueError(
            f"{address!r}: no {url.scheme}://, but {', '.join(f'{each}://' for each in _SCHEMES)}"
        )
    if "@" in url.netloc:
        raise ValueError("who one is does not belong into the address: write username and password")
    transport, tls, usual = _SCHEMES[url.scheme]
    host = url.path if transport == "unix" else url.hostname or ""
    if not host:
        raise ValueError(f"{address!r} names no {'socket' if transport == 'unix' else 'host'}")
    if transport == "tcp" and url.path.strip("/"):
        raise ValueError(f"{address!r}: only ws:// and wss:// have a path")
    try:
        port = url.port or usual
    except ValueError as error:
        raise ValueError(f"{address!r}: {error}") from error
    return Place(transport, tls, host, port, (url.path or "/mqtt") if transport == "websockets" else "")
