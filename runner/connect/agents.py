"""Makes the connection to the agent on a host."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runner.agent.calls import ConsoleBytes, Heard
from runner.api.verdicts import LabError
from runner.connect.link import Link
from runner.model import Host

Sources = Mapping[str, tuple[str, str]]
Connect = Callable[[Host, Callable[[ConsoleBytes], None], Callable[[Heard], None]], Link]


def connector(sources: Sources) -> Connect:
    """Return what connects to hosts; `sources` are the user's own modules, pushed to every agent."""

    def connect(host: Host, console: Callable[[ConsoleBytes], None], heard: Callable[[Heard], None]) -> Link:
        if not host.local:
            raise LabError(f"host {host.name!r}: benches on other machines are not supported yet")
        from runner.connect.process import LocalAgent

        return LocalAgent(sources=sources, console=console, heard=heard)

    return connect
