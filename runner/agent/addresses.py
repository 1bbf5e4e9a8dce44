"""Places where something listens: TCP ports and Unix sockets, read, connected to and listened at."""

from __future__ import annotations

import errno
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path

from runner.agent.offer import listening, short
from runner.api.verdicts import LabError, RecipeFault, Unreachable

_UNIX = "unix:"
_BACKLOG = 128
_HINT = "write a port (8080), host:port (10.0.0.5:80, [::1]:80), or the path of a socket (/run/board.sock)"
CONNECT_WITHIN = 10.0
"""Seconds for connecting to what a forward leads to."""


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


def connected(address: Address, within: float = CONNECT_WITHIN) -> socket.socket:
    """Connect; raise Unreachable naming the address and this machine when nobody answers."""
    try:
        return _unix(address.path) if address.path else _tcp(address, within)
    except OSError as error:
        why = f"no answer within {within:g}s" if isinstance(error, TimeoutError) else _why(error)
        raise Unreachable(
            f"cannot connect to {address} on {os.uname().nodename}: {why}",
            hint="does anything listen there, and may it be reached from that machine?",
        ) from error


def listener(address: Address) -> socket.socket:
    """Listen at an address; raise LabError naming it when that is impossible."""
    try:
        if address.path:
            made = listening(Path(address.path))
            made.setblocking(True)
            return made
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        return socket.create_server((address.host, address.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise LabError(
            f"cannot listen at {address} on {os.uname().nodename}: {_why(error)}",
            hint=_remedy(error, address),
        ) from error


def listens_at(made: socket.socket, address: Address) -> Address:
    """Return where a listener really listens: port 0 means any that is free."""
    return address if address.path else Address(host=address.host, port=int(made.getsockname()[1]))


def _tcp(address: Address, within: float) -> socket.socket:
    made = socket.create_connection((address.host, address.port), within)
    made.settimeout(None)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def _unix(path: str) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        with short(Path(path).absolute()) as name:
            made.connect(name)
    except OSError:
        made.close()
        raise
    return made


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _remedy(error: OSError, address: Address) -> str:
    if error.errno == errno.EADDRINUSE:
        left = f"; a file that is left from before: rm {address.path}" if address.path else ", or port 0"
        return f"somebody else listens there: choose another one{left}"
    return "may this user listen there, and is it an address of that machine?"
