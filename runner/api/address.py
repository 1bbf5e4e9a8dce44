"""How places where something listens are written: TCP ports and Unix sockets."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runner.api.verdicts import RecipeFault

_UNIX = "unix:"
_HINT = "write a port (8080), host:port (10.0.0.5:80, [::1]:80), or the path of a socket (/run/board.sock)"


@dataclass(frozen=True)
class Address:
    """A TCP port of a host, or the path of a Unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        """Write it as it is read."""
        if self.path:
            return self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_address(text: str, *, host: str = "localhost") -> Address:
    """Read an address; raise RecipeFault for what is none. `host`: of a port that stands alone.

    >>> str(read_address("8080")), str(read_address("[::1]:80")), str(read_address("unix:a.sock"))
    ('localhost:8080', '[::1]:80', 'a.sock')
    """
    if text.startswith((_UNIX, "/")):
        path = text.removeprefix(_UNIX)
        if path and "\0" not in path:
            return Address(path=path)
    named, _, port = text.rpartition(":")
    bare = named[1:-1] if named.startswith("[") and named.endswith("]") else named
    if (":" in bare) == (bare != named) and port.isascii() and port.isdigit() and int(port) < 65536:
        return Address(host=bare or host, port=int(port))
    raise RecipeFault(f"{text!r} is not an address", hint=_HINT)


def names_device(text: str) -> bool:
    """Tell whether what a forward leads to can be a device's name: no port, no path, no colon.

    >>> [names_device(each) for each in ("web", "board.web", "8080", "host:80", "/run/x.sock", "")]
    [True, True, False, False, False, False]
    """
    return bool(re.fullmatch(r"[A-Za-z_][\w.-]*", text, re.ASCII))
