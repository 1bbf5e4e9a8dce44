"""Reserves benches and gives them back, as people ask for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from runner.agent.calls import Look, Reserve, Said, Take, Vacate, Waiting
from runner.agent.holder import Holder
from runner.agent.locks import Locks
from runner.agent.quarantine import Quarantines
from runner.agent.standing import standing, told
from runner.agent.stop import Stop
from runner.api.verdicts import LabError

_LETS_GO_WITHIN = 20.0
"""Seconds until a run that is thrown out has to have given the bench back: looking, stopping, last orders."""
_LOOK_AGAIN = 0.1


def answered(
    request: Reserve | Vacate | Look,
    locks: Locks,
    quarantines: Quarantines,
    hear: Callable[[Waiting | Said], None],
    stop: Stop,
) -> dict[str, Any]:
    """Do what a person asks of a bench beside using it."""
    match request:
        case Reserve():
            return reserve(request, locks, quarantines, hear, stop)
        case Vacate():
            return vacate(request, locks, stop)
        case Look():
            return standing(request.bench, locks, quarantines)


def reserve(
    request: Reserve,
    locks: Locks,
    quarantines: Quarantines,
    hear: Callable[[Waiting | Said], None],
    stop: Stop,
) -> dict[str, Any]:
    """Reserve a bench as soon as it is free; raise LabError naming the holder when it is not in time."""
    take = Take(bench=request.bench, holder="runner reserve", wait=request.wait, who=request.who)
    quarantines.refuse(take)
    locks.take(take, hear, stop)
    try:
        quarantines.refuse(take)  # it may have come while we waited
        return told(locks.reserve(take, request.seconds, request.reason))
    finally:
        locks.drop(request.bench)


def vacate(request: Vacate, locks: Locks, stop: Stop) -> dict[str, Any]:
    """End a reservation; by force also somebody else's, and the hold of a run. Return what was ended."""
    found = locks.standing(request.bench)
    others = found.lease is not None and found.lease.owner != request.who
    if others and not request.force:
        raise LabError(
            f"bench {request.bench} is reserved by {found.lease}",
            evidence={"holder": str(found.lease)},
            hint="--force ends the reservation of somebody else",
        )
    lease = locks.end_lease(request.bench, request.who, request.reason)
    ended = {"reserved": told(lease) if lease else None, "holder": None}
    if not found.held:
        return ended
    if found.holder is None:
        raise LabError(
            f"bench {request.bench} is held by somebody who has not written down who that is",
            evidence={"holder": "somebody"},
            hint="ask again in a moment",
        )
    if not request.force:
        return {**ended, "still": str(found.holder)}
    _throw_out(request, found.holder, locks, stop)
    return {**ended, "holder": str(found.holder)}


def _throw_out(request: Vacate, holder: Holder, locks: Locks, stop: Stop) -> None:
    because = f": {request.reason}" if request.reason else ""
    why = f"bench {request.bench} was taken away by {request.who} (runner release --force){because}"
    locks.evict(request.bench, holder, why)
    until = time.monotonic() + _LETS_GO_WITHIN
    while locks.standing(request.bench).holder == holder:
        if time.monotonic() > until:
            raise LabError(
                f"bench {request.bench} is still held by {holder}: it was asked to give it back, "
                f"and did not within {_LETS_GO_WITHIN:g}s",
                hint=f"end process {holder.pid} on the bench's host; the kernel frees the bench then",
            )
        if stop.wait(_LOOK_AGAIN):
            raise stop.verdict()
