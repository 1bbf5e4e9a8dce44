"""Turns at a device that several processes use: whoever talks to it holds a lock on its file."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from runner.api import Duration, LabError, Unreachable
from runner.modules.usb.attached import Attached

_PAUSE = 0.005
"""Seconds between two tries: flock(2) has no limit of its own, and a turn takes a few milliseconds."""


@contextmanager
def turn(found: Attached, name: str, limit: Duration) -> Iterator[None]:
    """Wait for our turn and hold it; raise LabError when others do not end theirs within `limit`.

    The lock is on the device's own file (flock(2)): whoever may use the device can take it, the same
    device has one lock whatever it is called, and the kernel ends it with the process.
    """
    descriptor = _opened(found, name)
    try:
        end = time.monotonic() + limit
        while not _locked(descriptor):
            if time.monotonic() > end:
                raise LabError(
                    f"{name} is kept by another bench or program for more than {limit}",
                    evidence={"node": found.node, "limit": float(limit)},
                    hint=f"'fuser -v {found.node}' names who uses it",
                )
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)


def _opened(found: Attached, name: str) -> int:
    try:
        return os.open(found.node, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise Unreachable(
            f"{name} has gone from USB: {found.node}: {error.strerror}", evidence={"node": found.node}
        ) from error


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
