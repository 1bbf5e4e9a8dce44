"""What a call that did not stop still uses."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from runner.agent.calls import Configure, Request, Run, Take
from runner.agent.paths import paths_in, resolved
from runner.api.verdicts import LabError


class Busy:
    """Devices in the hands of calls that were given up; safe to use from many threads."""

    def __init__(self) -> None:
        """Start with all devices free."""
        self._lock = threading.Lock()
        self._aliases: dict[str, Mapping[str, str]] = {}
        self._held: dict[int, tuple[str, frozenset[str], str]] = {}

    def learn(self, request: Request) -> None:
        """Take note of a bench's aliases."""
        told = request.configure if isinstance(request, Take) else request
        if isinstance(told, Configure):
            with self._lock:
                self._aliases[told.bench] = told.aliases

    def refuse(self, request: Request) -> None:
        """Raise LabError when a Run would use what is held."""
        if not self._held or not isinstance(request, Run):
            return
        wanted = self._paths(request)
        with self._lock:
            held = tuple(self._held.values())
        for bench, paths, user in held:
            shared = sorted(paths & wanted) if bench == request.bench else ()
            if shared:
                raise LabError(
                    f"{shared[0]} of bench {bench!r} is still in use: {user} did not stop when told to",
                    evidence={"device": shared[0], "used_by": user},
                )

    def hold(self, stream: int, request: Request, user: str) -> None:
        """Keep what a call uses from others until its end comes after all."""
        paths = self._paths(request) if isinstance(request, Run) else frozenset[str]()
        with self._lock:
            self._held[stream] = (request.bench, paths, user)

    def holds(self, stream: int) -> bool:
        """Tell whether a call was given up and has not ended."""
        return stream in self._held

    def free(self, stream: int) -> None:
        """Note that a call has ended after all."""
        with self._lock:
            self._held.pop(stream, None)

    def _paths(self, run: Run) -> frozenset[str]:
        aliases = self._aliases.get(run.bench, {})
        return frozenset(resolved(path, aliases) for path in paths_in(run.devices))
