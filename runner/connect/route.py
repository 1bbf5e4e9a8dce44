"""The way to a host: each machine on it, with what the inventory and ``~/.ssh/config`` say of it."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.api.values import Secret
from runner.api.verdicts import LabError
from runner.connect.ssh_config import SshConfig
from runner.model import Host

_MOST_HOPS = 16
_CONNECT_WITHIN = 15.0
_GLOBAL_KNOWN_HOSTS = "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"
_KNOWN_HOSTS = "~/.ssh/known_hosts ~/.ssh/known_hosts2"
_DEFAULT_KEYS = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One SSH server on the way. `known_as`: its name in files of known hosts, when not its address."""

    name: str
    address: str
    port: int
    user: str
    keys: tuple[Path, ...]
    own_keys_only: bool
    certificate: Path | None
    """A certificate for one of the keys, beside those that lie next to their key."""
    agent: str
    """The socket of the agent that keeps keys; empty for none."""
    password: Secret
    known_hosts: tuple[Path, ...]
    """Files of known hosts; a new key is written into the first one."""
    known_as: str
    host_key: str
    """``strict``, ``accept-new``, or a fingerprint."""
    proxy_command: str
    within: float
    """Seconds for connecting, and for logging in."""

    def __str__(self) -> str:
        """Name it for people.

        >>> str(hop_of(Host(name="shelf1", options={"user": "hil", "port": 2222}), {}))
        'hil@shelf1:2222'
        """
        where = f"{self.user}@{self.address}:{self.port}"
        return where if self.name == self.address else f"{self.name} ({where})"


def route(host: Host, hosts: Mapping[str, Host], config: SshConfig) -> tuple[Hop, ...]:
    """Return every machine on the way to a host, itself the last; raise LabError for a circle."""
    return _route(host, hosts, config, 0)


def _route(host: Host, hosts: Mapping[str, Host], config: SshConfig, depth: int) -> tuple[Hop, ...]:
    if depth > _MOST_HOPS:
        raise LabError(f"the way to {host.name!r} has more than {_MOST_HOPS} hops: is it a circle?")
    said = config.of(str(host.options.get("address") or host.name))
    hop = hop_of(host, said)
    jumps = _jumps(host, said)
    if not jumps:
        return (hop,)
    first = _route(_named(jumps[0], hosts), hosts, config, depth + 1)
    rest = [_named(each, hosts) for each in jumps[1:]]
    between = [hop_of(each, config.of(str(each.options.get("address") or each.name))) for each in rest]
    return (*first, *between, hop)


def hop_of(host: Host, said: Mapping[str, Any]) -> Hop:
    """Put together what the inventory says of a host and what ``~/.ssh/config`` says; the inventory wins."""
    options = host.options
    own = options.get("identity_file")
    keys = [own] if own else said.get("identityfile", _DEFAULT_KEYS)
    return Hop(
        name=host.name,
        address=str(said.get("hostname") or options.get("address") or host.name),
        port=int(options.get("port") or said.get("port", 22)),
        user=str(options.get("user") or said.get("user") or getpass.getuser()),
        keys=tuple(Path(each).expanduser() for each in keys),
        own_keys_only=bool(own) or said.get("identitiesonly", "no").lower() == "yes",
        certificate=Path(said["certificatefile"]).expanduser() if said.get("certificatefile") else None,
        agent=_agent(said),
        password=Secret(options.get("password", "")),
        known_hosts=_known_hosts(host, said),
        known_as=str(said.get("hostkeyalias", "")),
        host_key=str(options.get("host_key") or _policy(said)),
        proxy_command="" if options.get("jump") else str(said.get("proxycommand") or ""),
        within=float(said.get("connecttimeout", _CONNECT_WITHIN)),
    )


def _agent(said: Mapping[str, Any]) -> str:
    """Return the socket that IdentityAgent names, or a variable that it names (ssh_config(5))."""
    written = str(said.get("identityagent", "SSH_AUTH_SOCK"))
    if written.lower() == "none":
        return ""
    if written == "SSH_AUTH_SOCK":
        return os.environ.get("SSH_AUTH_SOCK", "")
    return os.path.expanduser(os.path.expandvars(written))  # noqa: PTH111 - may be no path at all


def _known_hosts(host: Host, said: Mapping[str, Any]) -> tuple[Path, ...]:
    if host.options.get("known_hosts"):
        return (Path(host.options["known_hosts"]),)
    user = said.get("userknownhostsfile", _KNOWN_HOSTS)
    everyone = said.get("globalknownhostsfile", _GLOBAL_KNOWN_HOSTS)
    return tuple(Path(each).expanduser() for each in f"{user} {everyone}".split() if each.lower() != "none")


def _policy(said: Mapping[str, Any]) -> str:
    return "accept-new" if said.get("stricthostkeychecking", "").lower() == "accept-new" else "strict"


def _jumps(host: Host, said: Mapping[str, Any]) -> tuple[str, ...]:
    if "jump" in host.options:
        return tuple(host.options["jump"])
    if said.get("proxycommand"):
        return ()
    written = str(said.get("proxyjump") or "")
    return (
        ()
        if written.lower() == "none"
        else tuple(each.strip() for each in written.split(",") if each.strip())
    )


def _named(jump: str, hosts: Mapping[str, Host]) -> Host:
    """Return the host that a jump means: one of the inventory, or ``user@address:port``."""
    if jump in hosts:
        return hosts[jump]
    user, _, where = jump.removeprefix("ssh://").rpartition("@")
    address, port = _split(where)
    options: dict[str, Any] = {"user": user} if user else {}
    if port:
        options["port"] = port
    return Host(name=address, options=options)


def _split(where: str) -> tuple[str, int]:
    """Split an address from its port; an address of IPv6 stands in brackets."""
    if where.startswith("["):
        address, _, rest = where[1:].partition("]")
        return address, int(rest[1:] or 0)
    address, _, port = where.partition(":")
    if not port.isdigit():
        return where, 0
    return address, int(port)
