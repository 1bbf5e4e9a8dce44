"""Makes the connection to the agent on a host."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, TypeVar

from runner.agent.calls import ConsoleBytes, Heard
from runner.connect.link import Link
from runner.model import Host

if TYPE_CHECKING:
    from runner.connect.source import Files

Made = TypeVar("Made")
Sources = Mapping[str, tuple[str, str]]
Connect = Callable[[Host, Callable[[ConsoleBytes], None], Callable[[Heard], None]], Link]


def connector(
    sources: Callable[[], Sources], *, hosts: Mapping[str, Host], classes: Callable[[], Collection[str]]
) -> Connect:
    """Return what connects to hosts.

    `sources` are the user's own modules, pushed to every agent; `hosts` those to jump over;
    `classes` the modules and drivers of the plan, pushed to agents on other machines.
    """
    own = _once(sources)

    @_once
    def pushed() -> Sources:
        from runner.connect.bootstrap import the_rest

        return the_rest(classes(), own())

    @_once
    def files() -> Files:
        from runner.connect.source import Files

        return Files()

    def connect(host: Host, console: Callable[[ConsoleBytes], None], heard: Callable[[Heard], None]) -> Link:
        if host.local:
            from runner.connect.process import LocalAgent

            return LocalAgent(sources=own(), console=console, heard=heard)
        from runner.connect.remote import remote_agent

        return remote_agent(host, hosts, sources=pushed, console=console, heard=heard, files=files())

    return connect


def _once(make: Callable[[], Made]) -> Callable[[], Made]:
    """Return what makes it when it is first asked for, whichever thread asks."""
    lock = threading.Lock()
    made: list[Made] = []

    def get() -> Made:
        with lock:
            if not made:
                made.append(make())
            return made[0]

    return get
