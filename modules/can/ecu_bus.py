"""A CAN bus with two ends in one process: the tester's and the control unit's."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from runner.api import CanBus, CanFrame, Context, Duration
from runner.api.frames import FrameRecord, check_frame


class End(CanBus):
    """One end: what it sends, the other one receives, at once."""

    def __init__(self, name: str) -> None:
        """Start with an empty record; `join` gives it the other end."""
        self._name = name
        self._record = FrameRecord(name)
        self._other: End | None = None

    def join(self, other: End) -> None:
        """Put two ends together."""
        self._other, other._other = other, self

    def send(self, frame: CanFrame, timeout: Duration) -> int:  # noqa: ARG002 - it never waits
        """Send a frame; raise RecipeFault for one that no bus can carry."""
        check_frame(frame)
        now = time.monotonic()
        number = self._record.add(replace(frame, sent=True, time=now))
        if self._other is not None:
            self._other.receive(replace(frame, sent=False, time=now))
        return number

    def receive(self, frame: CanFrame) -> None:
        """Keep a frame of the other end."""
        self._record.add(frame)

    def latest(self) -> int:
        """Return the number of the newest frame in the record."""
        return self._record.latest()

    def next(self, after: int, timeout: float, context: Context) -> CanFrame | None:
        """Wait for the first received frame numbered above `after`."""
        return self._record.next(after, timeout, context)

    def find(self, number: int) -> CanFrame | None:
        """Return the frame of that place in the record."""
        return self._record.find(number)

    def info(self) -> Mapping[str, object]:
        """Return state and counters."""
        return {"interface": "simulated", "state": "active", **self._record.counters()}


def two_ends(name: str) -> tuple[End, End]:
    """Return a bus as its two ends: the tester's and the control unit's."""
    ours, theirs = End(name), End(f"{name}, control unit's end")
    ours.join(theirs)
    return ours, theirs
