"""Names the broker in what goes wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runner.api import Context, LabError, Unreachable, Unsupported


@contextmanager
def named(context: Context, slot: str = "broker") -> Iterator[None]:
    """Say with each error of the lab which device of which bench it is about."""
    device = context.devices.get(slot, slot)
    try:
        yield
    except LabError as error:
        kind = next((kind for kind in (Unreachable, Unsupported) if isinstance(error, kind)), LabError)
        raise kind(
            f"{device!r} on bench {context.bench!r}: {error.message}",
            evidence={"bench": context.bench, "device": device, **error.evidence},
            hint=error.hint,
        ) from error
