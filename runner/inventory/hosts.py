"""Hosts: the machines that instruments are plugged into, and how they are reached."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from runner.api.module import Options, arg
from runner.api.values import Duration, Secret, Size
from runner.document import Node
from runner.errors import Faults
from runner.fields import parameters_of
from runner.inventory.written import Piece
from runner.model import UNBOUND, Host
from runner.schema import bind

LOCALHOST = "localhost"
_SHORTEST = Duration("3s")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}=?")


class HostOptions(Options):
    """What can be said about a host; what is left out comes from ``~/.ssh/config``."""

    address: str = arg(default="", help="its name or address in the network; empty: the host's name")
    port: int = arg(default=22, help="the port of its SSH server", minimum=1, maximum=65535)
    user: str = arg(default="", help="who logs in")
    identity_file: str = arg(default="", help="the private key, relative to the inventory")
    password: Secret = arg(default=Secret(), help="the password, or the key's passphrase", secret=True)
    jump: str | list[str] = arg(
        default=[], help="the hosts on the way, in order: names, or user@address:port"
    )
    known_hosts: str = arg(default="", help="the file of known host keys, relative to the inventory")
    host_key: str = arg(
        default="strict",
        help="strict: its key must be known; accept-new: a key seen first is believed and kept; "
        "SHA256:…: exactly this one",
    )
    transport: Literal["paramiko", "openssh", "local"] = arg(
        default="paramiko", help="how it is reached; local: it is this machine"
    )
    python: str = arg(default="python3", help="its Python, 3.10 or newer")
    cache: bool | str = arg(
        default=False,
        help="the folder on it in which files and our own code stay for the next run; true: ~/.cache/runner",
    )
    cache_size: Size = arg(
        default=Size("8GiB"), help="how much may stay there; what was not used for longest goes first"
    )
    dead_after: Duration = arg(
        default=Duration("60s"),
        help="without a sign of life from the run for so long, the host ends it and frees its benches",
    )
    policy: str = arg(default="", help="a file on the host that says what may be done there")


OPTIONS = parameters_of(HostOptions)


def read_hosts(pieces: Mapping[str, Piece], faults: Faults) -> dict[str, Host]:
    """Read all hosts; `localhost` is always one of them."""
    hosts = {piece.name: _host(piece, faults) for piece in pieces.values()}
    hosts.setdefault(LOCALHOST, Host(name=LOCALHOST))
    _refuse_circles(hosts, pieces, faults)
    return hosts


def _host(piece: Piece, faults: Faults) -> Host:
    bound = bind(OPTIONS, piece.node, faults, owner="a host", at=piece.at)
    options: dict[str, Any] = {}
    for name, each in bound.items():
        if each.value is UNBOUND:
            faults.add("E418", f"a host's {name!r} cannot hold a template", at=each.node.at)
        elif each.value is not None:
            options[name] = _meant(name, each.value, each.node, faults)
    return Host(name=piece.name, at=piece.at, options=options)


def _meant(name: str, value: Any, node: Node, faults: Faults) -> Any:
    """Return an option's value in its final form; note what its type alone cannot tell."""
    match name:
        case "identity_file" | "known_hosts":
            return str((Path(node.at.path).parent / Path(value).expanduser()).absolute())
        case "jump":
            return _jumps(value)
        case "host_key" if value not in {"strict", "accept-new"} and not _FINGERPRINT.fullmatch(value):
            hint = "write strict, accept-new, or the fingerprint that 'ssh-keygen -lf KEY.pub' prints"
            faults.add("E419", f"{value!r} is not a way to check a host key", at=node.at, hint=hint)
        case "dead_after" if value < _SHORTEST:
            hint = f"write {_SHORTEST} or more: a sign of life is sent six times as often"
            faults.add("E419", f"{value} is too short for 'dead_after'", at=node.at, hint=hint)
        case "cache" if isinstance(value, str) and not value.startswith(("/", "~")):
            hint = "write true, false, or a folder on the host that begins with / or ~"
            faults.add("E419", f"{value!r} is not a folder on the host", at=node.at, hint=hint)
    return value


def _jumps(value: str | list[str]) -> tuple[str, ...]:
    each = value.split(",") if isinstance(value, str) else value
    return tuple(jump.strip() for jump in each if jump.strip())


def _refuse_circles(hosts: Mapping[str, Host], pieces: Mapping[str, Piece], faults: Faults) -> None:
    told: set[frozenset[str]] = set()
    for name in pieces:
        circle = _circle(name, hosts, ())
        if circle and frozenset(circle) not in told:
            told.add(frozenset(circle))
            jump = pieces[name].node.get("jump")
            way = " → ".join((*circle, circle[0]))
            faults.add(
                "E413",
                f"hosts jump over one another in a circle: {way}",
                at=jump.at if jump else pieces[name].at,
            )


def _circle(name: str, hosts: Mapping[str, Host], way: tuple[str, ...]) -> tuple[str, ...]:
    if name in way:
        return way[way.index(name) :]
    jumps: Iterable[str] = hosts[name].options.get("jump", ()) if name in hosts else ()
    found = (_circle(jump, hosts, (*way, name)) for jump in jumps)
    return next((circle for circle in found if circle), ())
