"""Taking a bench: a lock on a file that the kernel drops whatever happens to us (flock(2)).

The same file has one locked byte, so that others can see whether the bench is held without trying to
take it: a try would turn somebody away who comes at that moment.
"""

from __future__ import annotations

import fcntl
import functools
import json
import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from runner.agent.byte_locks import lock_byte, locked_within, unlock_byte
from runner.agent.calls import Said, Take, Waiting
from runner.agent.holder import Holder, ourselves, read, write
from runner.agent.leases import Lease, Leases
from runner.agent.lock_files import file_name, opened
from runner.agent.stop import Stop
from runner.agent.tickets import Ticket, queue_file, waiting
from runner.api.values import Duration
from runner.api.verdicts import LabError

_LOOK_AGAIN = 0.1
"""Seconds between two tries: flock(2) cannot be awaited together with a cancel."""
_AGAIN_AFTER = 60.0
"""Seconds after which who waits is told once more that nothing has changed."""
_CHANGED_AFTER = 5.0
"""Seconds between two words about a queue that moves."""
_HELD = 0
"""The byte of a lock's file that is locked while the bench is held."""


@dataclass(frozen=True)
class Standing:
    """How a bench stands: who holds it, who waits (None: unknown who), who has reserved it."""

    holder: Holder | None
    held: bool
    waiting: tuple[Holder | None, ...]
    lease: Lease | None


class Keeper(Protocol):
    """Keeps locks beyond the death of who has taken them (`runner.agent.estate`)."""

    def keep_lock(self, descriptor: int) -> None:
        """Keep a lock until it is unlocked."""

    def forget_locks(self) -> None:
        """Keep none any longer."""


class Locks:
    """The benches that this agent holds."""

    def __init__(self, folder: Callable[[], Path], leases: Callable[[], Leases] | None = None) -> None:
        """Hold none; the folder is looked for when the first bench is taken."""
        self._folder = folder
        self._leases = leases or (lambda: Leases((folder(),)))
        self._held: dict[str, int] = {}
        self.keeper: Keeper | None = None
        """Who keeps the locks should we be killed."""

    def take(self, take: Take, hear: Callable[[Waiting | Said], None], stop: Stop) -> None:
        """Take a bench in the order of asking; raise LabError naming the holder after `take.wait` seconds."""
        if take.bench in self._held:
            return
        us = ourselves(take.holder, take.who, take.hold)
        descriptor = opened(self._path(take.bench, "lock"))
        try:
            with closing(Ticket(queue_file(self._folder(), take.bench), us)) as ticket:
                turn = _Turn(descriptor, ticket, take, us, self._leases())
                turn.wait(hear, stop)
                if self.keeper is not None:
                    self.keeper.keep_lock(descriptor)
                os.ftruncate(descriptor, 0)
                write(descriptor, ourselves(take.holder, take.who, take.hold))
        except BaseException as error:
            _unlock(descriptor)
            os.close(descriptor)
            if isinstance(error, OSError):
                raise LabError(f"cannot lock bench {take.bench}: {error.strerror}") from error
            raise
        self._held[take.bench] = descriptor
        news = self._leases().news(take.bench, us.who)
        if news:
            hear(Said(text=news, level="warning"))

    def reserve(self, take: Take, seconds: float, reason: str) -> Lease:
        """Keep a bench that is ours for whom we have taken it for; it may be dropped then."""
        who = ourselves(take.holder, take.who, None).who
        return self._leases().put(take.bench, who, seconds, reason)

    def end_lease(self, bench: str, by: str, reason: str) -> Lease | None:
        """End the reservation of a bench, and return it if there was one."""
        return self._leases().end(bench, by, reason)

    def drop(self, bench: str) -> None:
        """Give a bench back; one that is not ours is left alone."""
        descriptor = self._held.pop(bench, None)
        if descriptor is not None:
            os.ftruncate(descriptor, 0)
            _unlock(descriptor)
            os.close(descriptor)
        if self.keeper is not None and not self._held:
            self.keeper.forget_locks()

    def drop_all(self) -> None:
        """Give every bench back."""
        for bench in tuple(self._held):
            self.drop(bench)

    def standing(self, bench: str) -> Standing:
        """Say how a bench stands, without getting in anybody's way."""
        held, holder = False, None
        path = self._path(bench, "lock")
        if path.exists():
            descriptor = opened(path)
            try:
                held = locked_within(descriptor, _HELD, _HELD + 1) is not None
                holder = read(descriptor) if held else None
            finally:
                os.close(descriptor)
        queue = tuple(waiting(queue_file(self._folder(), bench)))
        return Standing(holder=holder, held=held, waiting=queue, lease=self._leases().of(bench))

    def evict(self, bench: str, holder: Holder, why: str) -> None:
        """Ask who holds a bench to give it back; `evicted` is where they look."""
        descriptor = opened(self._path(bench, "evict"))
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps({"holder": asdict(holder), "why": why}).encode(), 0)
        finally:
            os.close(descriptor)

    def evicted(self, bench: str) -> str:
        """Say why we are asked to give a bench back that we hold; empty when nobody asks."""
        path = self._path(bench, "evict")
        if bench not in self._held or not path.exists():
            return ""
        try:
            asked = json.loads(path.read_bytes())
            return str(asked["why"]) if Holder(**asked["holder"]) == read(self._held[bench]) else ""
        except (ValueError, TypeError, KeyError):  # empty, or being written
            return ""

    def _path(self, bench: str, kind: str) -> Path:
        return self._folder() / f"{file_name(bench)}.{kind}"


class _Turn:
    """Waits for its turn at a bench."""

    def __init__(self, descriptor: int, ticket: Ticket, take: Take, us: Holder, leases: Leases) -> None:
        self._descriptor = descriptor
        self._ticket = ticket
        self._take = take
        self._us = us
        self._leases = leases

    def wait(self, hear: Callable[[Waiting], None], stop: Stop) -> None:
        """Return with the lock; raise LabError when it cannot be had in time, or the verdict of `stop`."""
        until = time.monotonic() + self._take.wait
        told, told_at = None, 0.0
        while not self._come():
            now = time.monotonic()
            if now >= until:
                raise self._refusal()
            if told is None or now - told_at >= _CHANGED_AFTER:
                said = self._obstacle()
                if said != told or now - told_at >= _AGAIN_AFTER:
                    told, told_at = said, now
                    hear(said)
            if stop.wait(min(_LOOK_AGAIN, until - now)):
                raise stop.verdict()

    def _come(self) -> bool:
        """Lock the bench if it is our turn; tell whether it is ours."""
        lease = self._leases.of(self._take.bench)
        if lease is None:
            if not self._ticket.first():
                return False
        elif lease.owner != self._us.who or not self._ticket.first(functools.partial(_owns, lease)):
            return False
        if not _locked(self._descriptor):
            return False
        lease = self._leases.of(self._take.bench)  # nobody can write one from here on
        if lease is not None and lease.owner != self._us.who:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            return False
        return lock_byte(self._descriptor, _HELD)

    def _obstacle(self) -> Waiting:
        ahead = self._ticket.ahead()
        return Waiting(
            bench=self._take.bench,
            holder=self._who(ahead),
            place=len(ahead) + 1,
            queue=len(ahead) + 1 + self._ticket.behind(),
        )

    def _who(self, ahead: list[Holder | None]) -> str:
        lease = self._leases.of(self._take.bench)
        if lease is not None and lease.owner != self._us.who:
            return str(lease)
        if locked_within(self._descriptor, _HELD, _HELD + 1) is None and ahead:
            return f"{ahead[0] or 'somebody'}, whose turn it is"
        return str(read(self._descriptor) or "somebody")

    def _refusal(self) -> LabError:
        ahead, bench = self._ticket.ahead(), self._take.bench
        who = self._who(ahead)
        queue = f", and {len(ahead)} before us wait for it" if ahead else ""
        waited = f"; waited {Duration(self._take.wait)}" if self._take.wait else ""
        holder = read(self._descriptor)
        known = asdict(holder) if str(holder) == who and holder is not None else {"holder": who}
        return LabError(
            f"bench {bench} is held by {who}{queue}{waited}",
            evidence={**known, "ahead": len(ahead)},
            hint=f"wait {'longer' if self._take.wait else 'for it'} with --wait, or ask who holds it",
        )


def _owns(lease: Lease, who: Holder | None) -> bool:
    return who is not None and who.who == lease.owner


def _unlock(descriptor: int) -> None:
    """Unlock it for everybody who has the same open file, too; closing would not."""
    unlock_byte(descriptor, _HELD)
    fcntl.flock(descriptor, fcntl.LOCK_UN)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
