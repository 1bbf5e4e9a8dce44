"""Hosts of an inventory: the machines that instruments are plugged into."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from runner.declaration import Parameter
from runner.document import Entry, MapNode, Scalar
from runner.errors import Faults
from runner.model import Host
from runner.schema import bind

LOCALHOST = "localhost"


def _option(name: str, hint: Any, help_: str, *, secret: bool = False) -> Parameter:
    return Parameter(name=name, hint=hint, required=False, help=help_, secret=secret)


OPTIONS: Mapping[str, Parameter] = MappingProxyType(
    {
        each.name: each
        for each in (
            _option("address", str | None, "name or IP address; default: the host's name here"),
            _option("port", int | None, "TCP port of sshd"),
            _option("user", str | None, "who to log in as"),
            _option("identity_file", str | None, "private key"),
            _option("password", str | None, "password (use !secret)", secret=True),
            _option("jump", str | list[str] | None, "host or hosts to go through"),
            _option("known_hosts", str | None, "file of known host keys"),
            _option("host_key", str | None, "strict, accept-new or SHA256:…"),
            _option("transport", Literal["paramiko", "openssh", "local"] | None, "how to reach it"),
            _option("python", str | None, "the Python to run there"),
            _option("cache", bool | str | None, "keep pushed files there: true, false or a folder"),
            _option("policy", str | None, "the host's own policy file"),
        )
    }
)
"""As language.md section 2 lists them; what is not given comes from ~/.ssh/config."""


def read_hosts(node: MapNode | None, faults: Faults) -> dict[str, Host]:
    """Read ``hosts:``; localhost is always there."""
    hosts = {LOCALHOST: Host(name=LOCALHOST, options={"transport": "local"})}
    for entry in node or ():
        hosts[entry.key.text] = _host(entry, faults)
    return hosts


def _host(entry: Entry, faults: Faults) -> Host:
    name = entry.key.text
    bound = bind(OPTIONS, _mapping(entry, faults), faults, owner=f"host {name!r}", at=entry.key.at)
    options = {key: each.value for key, each in bound.items()}
    key = options.get("host_key")
    if key is not None and key not in {"strict", "accept-new"} and not str(key).startswith("SHA256:"):
        faults.add(
            "E412", f"host_key {key!r} is not strict, accept-new or SHA256:…", at=bound["host_key"].node.at
        )
    if name == LOCALHOST:
        options.setdefault("transport", "local")
    return Host(name=name, at=entry.key.at, options=options)


def _mapping(entry: Entry, faults: Faults) -> MapNode | None:
    if isinstance(entry.value, MapNode):
        return entry.value
    if isinstance(entry.value, Scalar) and entry.value.value is None:
        return None
    faults.add("E410", f"host {entry.key.text!r} is a mapping of options", at=entry.value.at)
    return None
