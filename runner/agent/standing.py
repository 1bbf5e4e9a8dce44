"""How benches stand, for people who look: held, waited for, reserved, in quarantine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from runner.agent.holder import at
from runner.agent.leases import Lease, Leases
from runner.agent.lock_files import lock_folder
from runner.agent.locks import Locks
from runner.agent.quarantine import Quarantines
from runner.agent.state_files import state_folders


def own_locks(environment: Mapping[str, str]) -> Locks:
    """Return the locks of this machine, with its reservations."""
    return Locks(lambda: lock_folder(environment), lambda: Leases(state_folders(environment)))


def standing(bench: str, locks: Locks, quarantines: Quarantines) -> dict[str, object]:
    """Return how a bench stands, as JSON can hold it; None for what there is not."""
    found = locks.standing(bench)
    notice = quarantines.of(bench)
    return {
        "bench": bench,
        "held": found.held,
        "holder": asdict(found.holder) if found.holder else None,
        "waiting": [asdict(each) if each else None for each in found.waiting],
        "reserved": told(found.lease) if found.lease else None,
        "quarantine": asdict(notice) if notice else None,
    }


def told(lease: Lease) -> dict[str, object]:
    """Return a reservation for people."""
    return {
        "owner": lease.owner,
        "since": lease.since,
        "until": at(lease.until),
        "reason": lease.reason,
    }
