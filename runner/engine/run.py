"""What all benches of one run share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

from runner.api.verdicts import Cancelled
from runner.connect.link import Link
from runner.engine.alarms import Alarms
from runner.engine.away import Away
from runner.engine.cancel import Cancellation, Clock, RealClock
from runner.engine.consoles import Consoles
from runner.engine.end import End
from runner.engine.journal import Journal
from runner.engine.options import PlayOptions
from runner.masking import Masker
from runner.model import Host
from runner.template import Templates


class Links:
    """Connections to agents, one for each host, made when they are first needed."""

    def __init__(self, connect: Callable[[Host], Link]) -> None:
        """Remember how to connect."""
        self._connect = connect
        self._lock = threading.Lock()
        self._links: dict[str, Link] = {}

    def to(self, host: Host) -> Link:
        """Return the link to a host; raise LabError when it cannot be made."""
        with self._lock:
            if host.name not in self._links:
                self._links[host.name] = self._connect(host)
            return self._links[host.name]

    def known(self, host: Host) -> Link | None:
        """Return the link to a host when there is one already."""
        return self._links.get(host.name)

    def close(self) -> None:
        """End every agent."""
        with self._lock:
            for link in self._links.values():
                link.close()
            self._links.clear()


class Once:
    """Steps marked ``run_once``: the first bench runs them, the others get what came of it."""

    def __init__(self) -> None:
        """Know of no such step yet."""
        self._lock = threading.Lock()
        self._ends: dict[str, Future[End]] = {}

    def run(self, key: str, play: Callable[[], End], cancel: Cancellation) -> End:
        """Run it, or wait for the bench that does; raise Cancelled when told to stop waiting."""
        with self._lock:
            first = key not in self._ends
            future = self._ends.setdefault(key, Future())
        if first:
            return _fulfilled(future, play)
        known = threading.Event()
        future.add_done_callback(lambda _future: known.set())
        leave = cancel.watch(lambda _cause: known.set())
        try:
            known.wait()
        finally:
            leave()
        if not future.done():
            raise Cancelled(cancel.cause or "cancelled")
        return future.result()


def _fulfilled(future: Future[End], play: Callable[[], End]) -> End:
    try:
        end = play()
    except BaseException as error:
        future.set_exception(error)
        raise
    future.set_result(end)
    return end


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The shared state of one execution. `abort` is the second Ctrl-C: it ends clean-up, too."""

    journal: Journal
    templates: Templates
    consoles: Consoles
    masker: Masker
    links: Links
    options: PlayOptions
    abort: Cancellation
    cancel: Cancellation
    clock: Clock = field(default_factory=RealClock)
    alarms: Alarms = field(default_factory=Alarms)
    away: Away = field(default_factory=Away)
    built_in: Mapping[str, object] = field(default_factory=dict)
    """The names that every scope has: ``benches``, ``run``, ``artifacts``."""
