"""An agent on another machine, over SSH; nothing has to be installed there but Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runner.agent.calls import ConsoleBytes, Heard
from runner.connect import openssh
from runner.connect.agent import AgentLink
from runner.connect.bootstrap import Pipe, RemoteAgent, payload
from runner.connect.needs import Sources
from runner.model import Host

_SILENCE = 20.0
"""Seconds without a word until an agent is taken for dead; it is asked every 10 s, and has 10 s to end."""


def remote_agent(
    host: Host,
    hosts: Mapping[str, Host],
    *,
    sources: Callable[[], Sources],
    console: Callable[[ConsoleBytes], None],
    heard: Callable[[Heard], None],
) -> AgentLink:
    """Return a link to the agent of a host; it connects with the first call. `hosts`: those to jump over."""
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
        silence=_SILENCE,
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
