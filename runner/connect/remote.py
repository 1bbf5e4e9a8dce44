"""An agent on another machine, over SSH; nothing has to be installed there but Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runner.agent.calls import ConsoleBytes, Heard
from runner.connect import openssh
from runner.connect.agent import AgentLink
from runner.connect.bootstrap import Pipe, RemoteAgent, payload
from runner.connect.channel import Cache
from runner.connect.needs import Sources
from runner.connect.placing import Placing
from runner.connect.source import Files
from runner.model import Host

CACHE_SIZE = 8 * 2**30
"""What may stay in a cache whose inventory does not say."""
_SILENCE = 20.0
"""Seconds without a word until an agent is taken for dead; it is asked every 10 s, and has 10 s to end."""
_PATIENCE = 60.0
"""Seconds without a word of ours until an agent takes us for dead, unless the inventory says otherwise."""


def remote_agent(
    host: Host,
    hosts: Mapping[str, Host],
    *,
    sources: Callable[[], Sources],
    console: Callable[[ConsoleBytes], None],
    heard: Callable[[Heard], None],
    files: Files | None = None,
) -> AgentLink:
    """Return a link to the agent of a host; it connects with the first call.

    `hosts`: those to jump over. `files`: what is known of the files to be sent there.
    """
    python = str(host.options.get("python") or "python3")

    def open_port() -> RemoteAgent:
        sent = payload()
        pipe = open_pipe(host, hosts, sent.command(python), heard)
        return RemoteAgent(pipe, sent, heard, python=python)

    return AgentLink(
        open_port,
        name=f"the agent of host {host.name!r}",
        sources=sources,
        console=console,
        heard=heard,
        patience=float(host.options.get("dead_after") or _PATIENCE),
        silence=_SILENCE,
        cache=cache_of(host),
        placing=Placing(files or Files(), f"host {host.name!r}"),
    )


def cache_of(host: Host) -> Cache:
    """Return where files may stay on a host.

    >>> cache_of(Host(name="shelf1", options={"cache": True})).cache
    '~/.cache/runner'
    """
    folder = host.options.get("cache") or ""
    if not folder:
        return Cache()
    return Cache(
        "~/.cache/runner" if folder is True else str(folder), int(host.options.get("cache_size", CACHE_SIZE))
    )


def open_pipe(host: Host, hosts: Mapping[str, Host], command: str, heard: Callable[[Heard], None]) -> Pipe:
    """Run a command on a host by the transport that the inventory names."""
    if host.options.get("transport") == "openssh":
        return openssh.start(host, hosts, command, heard)
    from runner.connect import ssh
    from runner.connect.route import route
    from runner.connect.ssh_config import SshConfig

    hops = route(host, hosts, SshConfig())
    return ssh.Remote(ssh.connect(hops), command, heard, name=f"host {host.name!r}")
