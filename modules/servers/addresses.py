"""Which address a server tells boards."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Mapping
from typing import Any

from runner.api import LabError, Misfit, RecipeFault

_ELSEWHERE = ("192.0.2.1", 53)
"""An address for documentation (RFC 5737): the kernel is only asked by which of ours it would go there."""


def advertised(bind: str, advertise: str) -> str:
    """Return the address for boards: `advertise`, else that which is listened on, else this host's own.

    Raise RecipeFault when what was written is an address that nobody can connect to, LabError when
    none was written and this host has none but loopback.
    """
    if advertise:
        if _is_any(advertise):
            raise RecipeFault(f"no board can connect to {advertise}: 'advertise' is the address that it uses")
        return advertise
    if not _is_any(bind):
        return bind
    found = _own_address()
    if not found or ipaddress.ip_address(found).is_loopback:
        raise LabError(
            "this host has no address that a board could use",
            hint="say by which it reaches this host: option 'advertise' of the server",
        )
    return found


def unusable(given: Mapping[str, Any]) -> Iterable[Misfit]:
    """Say which of a server's addresses cannot be listened on, or told to boards."""
    try:
        family(str(given.get("bind", "0.0.0.0")))  # noqa: S104 - the default
    except RecipeFault as error:
        yield Misfit("bind", error.message, error.hint)
    if _is_any(str(given.get("advertise", ""))):
        yield Misfit(
            "advertise", f"no board can connect to {given['advertise']}: name one address of this host"
        )


def family(address: str) -> socket.AddressFamily:
    """Return the family of a numeric address; raise RecipeFault when it is none.

    >>> family("::1").name
    'AF_INET6'
    """
    try:
        version = ipaddress.ip_address(address).version
    except ValueError as error:
        raise RecipeFault(f"{address!r} is no address to listen on", hint="write 0.0.0.0, say") from error
    return socket.AF_INET if version == 4 else socket.AF_INET6


def _is_any(address: str) -> bool:
    return address in {"0.0.0.0", "::"}  # noqa: S104 - this is what is refused


def _own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(_ELSEWHERE)
        except OSError:
            return ""  # no route: the caller says what to do
        return str(asking.getsockname()[0])
