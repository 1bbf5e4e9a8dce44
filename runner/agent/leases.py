"""Reservations: a bench is kept for somebody until a point in time, whether or not a run of theirs holds it.

A lease is a file of the bench's host, written only by who has the bench's lock at that moment. It ends
by that host's clock, so nobody has to be alive to end it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from runner.agent.holder import at
from runner.agent.state_files import StateFiles
from runner.api.verdicts import LabError


@dataclass(frozen=True)
class Lease:
    """Who has reserved a bench, and until when, in seconds since 1970.

    `ended`: who ended it before its time and why, kept until its owner has been told.
    """

    bench: str
    owner: str
    since: str
    until: float
    reason: str = ""
    ended: str = ""

    def __str__(self) -> str:
        """Write it for people."""
        why = f": {self.reason}" if self.reason else ""
        return f"{self.owner}, who has reserved it since {self.since} until {at(self.until)}{why}"


class Leases:
    """The leases of this host."""

    def __init__(self, folders: Sequence[Path], now: Callable[[], float] = time.time) -> None:
        """Look in these folders, by this clock."""
        self._files = StateFiles(folders, "lease")
        self._now = now

    def of(self, bench: str) -> Lease | None:
        """Return the lease of a bench that is in force."""
        lease = self._written(bench)
        return lease if lease is not None and not lease.ended and self._now() < lease.until else None

    def put(self, bench: str, owner: str, seconds: float, reason: str) -> Lease:
        """Reserve a bench from now on; only with its lock in hand. One's own lease is written anew."""
        known = self.of(bench)
        since = known.since if known is not None else at(self._now())
        lease = Lease(bench=bench, owner=owner, since=since, until=self._now() + seconds, reason=reason)
        self._write(lease)
        return lease

    def end(self, bench: str, by: str, reason: str) -> Lease | None:
        """End a lease that is in force, which is returned; an owner who did not do that will be told."""
        lease = self.of(bench)
        if lease is None:
            return None
        if lease.owner == by:
            self._files.clear(bench)
        else:
            why = f": {reason}" if reason else ""
            self._write(replace(lease, ended=f"{by} on {at(self._now())}{why}"))
        return lease

    def news(self, bench: str, owner: str) -> str:
        """Return, once, what its owner has to be told of a lease that somebody else has ended."""
        lease = self._written(bench)
        if lease is None or not lease.ended or lease.owner != owner:
            return ""
        self._files.clear(bench)
        return f"your reservation of bench {bench} until {at(lease.until)} was ended by {lease.ended}"

    def _write(self, lease: Lease) -> None:
        self._files.write(lease.bench, json.dumps(asdict(lease)).encode())

    def _written(self, bench: str) -> Lease | None:
        found = self._files.read(bench)
        if found is None:
            return None
        written, path = found
        try:
            return Lease(**json.loads(written))
        except (ValueError, TypeError) as error:
            raise LabError(
                f"the reservation of bench {bench} cannot be read: {path}",
                hint=f"when nobody needs it: empty that file on the bench's host ({error})",
            ) from error
