"""How a verb gets at the medium of a bench, and gives it back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runner.api import (
    Context,
    Duration,
    LabError,
    Medium,
    MuxPosition,
    RecipeFault,
    Storage,
    StorageMux,
    Unsupported,
    Verdict,
)
from runner.modules.storage.card import Card, InUse
from runner.modules.storage.partitions import Window, partitions
from runner.modules.storage.patient import Patient


@contextmanager
def taken(
    medium: Medium,
    context: Context,
    patient: Patient,
    *,
    leave: MuxPosition,
    wait_device: Duration,
    settle: Duration,
    force: bool,
    reading: bool = False,
) -> Iterator[Storage]:
    """Give the storage that a device is, or that is behind a mux, which in the end is at `leave`."""
    if isinstance(medium, StorageMux):
        storage: Storage = Card(
            medium,
            context,
            patient,
            leave=leave,
            wait_device=wait_device,
            settle=settle,
            force=force,
            reading=reading,
        )
    elif isinstance(medium, Storage):
        storage = medium
    else:
        raise Unsupported(f"a {type(medium).__name__} cannot be read")
    try:
        yield storage
    except Verdict as first:
        _end_after(first, storage)
        raise
    except BaseException:
        storage.end()
        raise
    storage.end()


def _end_after(first: Verdict, storage: Storage) -> None:
    """Give the medium back; what fails then is told with what came first, and does not replace it."""
    try:
        storage.end()
    except LabError as error:
        first.evidence["then"] = error.message


def begin(storage: Storage, target: str, *, insist: bool) -> Storage:
    """Return a target, ready to be used: what the driver knows by that name, else a partition.

    Raise RecipeFault when there is no such, InUse when the medium is not to be written unless one insists.
    """
    found = _begun(storage, target)
    why = "" if insist else storage.refusal()
    if why:
        raise InUse(f"{why}: nothing was written", hint="'force: true' writes all the same")
    return found


def _begun(storage: Storage, target: str) -> Storage:
    try:
        storage.begin(target)
    except ValueError as error:
        storage.begin("")
        there = partitions(storage)
        for each in there:
            if target in {str(each.number), each.name}:
                return Window(storage, each)
        known = ", ".join(f"{each.number} {each.name}".strip() for each in there)
        raise RecipeFault(
            f"{error}, and no partition of that number or name",
            evidence={"target": target},
            hint=f"there are: {known}" if known else "the medium has no partition table",
        ) from error
    return storage
