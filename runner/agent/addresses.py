"""Places where something listens, connected to and listened at."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

from runner.agent.offer import listening, short
from runner.api.address import Address
from runner.api.verdicts import LabError, Unreachable

_BACKLOG = 128
CONNECT_WITHIN = 10.0
"""Seconds for connecting to what a forward leads to."""


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
