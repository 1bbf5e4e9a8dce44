"""SSH by the ``ssh`` program, for what paramiko lacks: host certificates, GSSAPI, security keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runner.agent.calls import Heard
from runner.api.verdicts import LabError
from runner.connect.process import Child
from runner.model import Host

_CONNECT_WITHIN = 15
_OPTIONS = (
    "BatchMode=yes",  # ask nothing: nobody is there to answer
    f"ConnectTimeout={_CONNECT_WITHIN}",
    "Ciphers=^aes128-gcm@openssh.com",
    "KexAlgorithms=^curve25519-sha256",  # sntrup761 costs 0.15 s of CPU for each connection
    "ClearAllForwardings=yes",
    "RequestTTY=no",
)


def start(host: Host, hosts: Mapping[str, Host], command: str, heard: Callable[[Heard], None]) -> Child:
    """Run a command on a host; raise LabError for what ``ssh`` cannot be told."""
    return Child(command_line(host, hosts, command), heard, name=f"the program ssh for host {host.name!r}")


def command_line(host: Host, hosts: Mapping[str, Host], command: str) -> tuple[str, ...]:
    """Return the command line of ``ssh``.

    >>> shelf = Host(name="shelf1", options={"user": "hil", "jump": ("me@gate:2222",)})
    >>> command_line(shelf, {}, "true")[-6:]
    ('-l', 'hil', '-J', 'me@gate:2222', 'shelf1', 'true')
    """
    options = host.options
    _refuse(host)
    words = ["ssh", "-T"]
    for option in (*_OPTIONS, *_checking(host)):
        words += ["-o", option]
    for flag, name in (("-p", "port"), ("-l", "user"), ("-i", "identity_file")):
        if options.get(name):
            words += [flag, str(options[name])]
    if options.get("jump"):
        words += ["-J", ",".join(_written(jump, hosts) for jump in options["jump"])]
    return (*words, str(options.get("address") or host.name), command)


def _refuse(host: Host) -> None:
    if host.options.get("password"):
        raise LabError(
            f"host {host.name!r}: the program ssh takes no password from us",
            hint="use a key or its agent, or transport: paramiko",
        )
    if str(host.options.get("host_key", "")).startswith("SHA256:"):
        raise LabError(
            f"host {host.name!r}: the program ssh cannot be told a key's fingerprint",
            hint="put the key into a file and name it with 'known_hosts', or use transport: paramiko",
        )


def _checking(host: Host) -> tuple[str, ...]:
    policy = "accept-new" if host.options.get("host_key") == "accept-new" else "yes"
    known = host.options.get("known_hosts")
    return (f"StrictHostKeyChecking={policy}", *((f"UserKnownHostsFile={known}",) if known else ()))


def _written(jump: str, hosts: Mapping[str, Host]) -> str:
    if jump not in hosts:
        return jump
    options = hosts[jump].options
    user = f"{options['user']}@" if options.get("user") else ""
    port = f":{options['port']}" if options.get("port") else ""
    return f"{user}{options.get('address') or jump}{port}"
