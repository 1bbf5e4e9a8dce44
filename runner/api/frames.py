"""The record that a CAN bus keeps of its frames: bounded, numbered, waited on."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Union

from runner.api.interfaces import CanFrame
from runner.api.misfit import Misfit
from runner.api.verdicts import LabError, RecipeFault

if TYPE_CHECKING:
    from runner.api.context import Context

FD_LENGTHS = (*range(9), 12, 16, 20, 24, 32, 48, 64)
"""How many bytes a CAN FD frame can hold (ISO 11898-1, 8.4.2.4); a classic one holds up to 8."""
STANDARD = 0x7FF
"""The highest identifier of a standard frame."""
EXTENDED = 0x1FFFFFFF
"""The highest identifier of an extended frame."""


def frame_misfit(frame: CanFrame) -> Misfit | None:
    """Return why no bus can carry a frame, or None when one can (ISO 11898-1, 8.4)."""
    shown = f"0x{frame.id:X}"
    if not 0 <= frame.id <= (EXTENDED if frame.extended else STANDARD):
        kind = "extended" if frame.extended else "standard"
        hint = "" if frame.extended else "write extended: true for identifiers above 0x7FF"
        return Misfit("id", f"{shown} is no {kind} CAN identifier", hint)
    if frame.remote and frame.fd:
        return Misfit("remote", f"remote frames exist only in classic CAN: {shown}")
    if frame.remote and frame.data:
        return Misfit("data", f"a remote frame carries no data: {shown}", "dlc says how much it asks for")
    if frame.remote and not 0 <= (frame.dlc or 0) <= 8:
        return Misfit("dlc", f"a remote frame asks for 0 to 8 bytes, not {frame.dlc}: {shown}")
    if frame.bitrate_switch and not frame.fd:
        return Misfit("bitrate_switch", f"only CAN FD switches its bit rate: {shown}", "write fd: true")
    return _length_misfit(frame, shown)


def _length_misfit(frame: CanFrame, shown: str) -> Misfit | None:
    length = len(frame.data)
    if length not in (FD_LENGTHS if frame.fd else FD_LENGTHS[:9]):
        longer = next((each for each in FD_LENGTHS if each > length), None)
        hint = f"pad them to {longer}" if frame.fd and longer else "" if frame.fd else "write fd: true"
        kind = "CAN FD frame" if frame.fd else "CAN frame"
        return Misfit("data", f"a {kind} cannot hold {length} bytes: {shown}", hint)
    if not frame.remote and frame.dlc not in {None, length}:
        return Misfit("dlc", f"dlc is {frame.dlc}, but the data are {length} bytes: {shown}", "leave dlc out")
    return None


def check_frame(frame: CanFrame) -> None:
    """Raise RecipeFault for a frame that no bus can carry."""
    misfit = frame_misfit(frame)
    if misfit is not None:
        raise RecipeFault(misfit.message, evidence={"id": frame.id}, hint=misfit.hint)


Make = Callable[[Any, float, int], CanFrame]
"""Makes a frame of what the interface has received, when, and its place in the record."""


Entry = Union[CanFrame, tuple[Any, float]]
"""A frame, or what the interface has received and when."""


class FrameRecord:
    """Numbers frames from 1 and keeps the newest `capacity` of them; safe to use from many threads.

    What is received can be kept as it came: frames are made of it when somebody looks.
    """

    def __init__(self, bus: str, capacity: int = 65536, make: Make | None = None) -> None:
        """Start empty; `bus` names the bus in errors."""
        self._bus = bus
        self._entries: list[Entry] = []
        self._capacity = capacity
        self._make = make
        self._newest = 0
        self._received = 0
        self._errors = 0
        self._waiting = 0
        self._broken: LabError | None = None
        self._changed = threading.Condition()

    def add(self, frame: CanFrame, **changes: Any) -> int:
        """Keep a frame, with its number and these changes; return the number."""
        with self._changed:
            numbered = dataclasses.replace(frame, **changes, number=self._newest + 1)
            self._received += not numbered.sent
            self._errors += numbered.error
            return self._keep(numbered)

    def receive(self, raw: Any, seen: float, *, ours: bool = False) -> None:
        """Keep what the interface has received, and when: seconds of the monotonic clock.

        `ours`: we had the kernel send it, which makes it a sent one.
        """
        with self._changed:
            self._received += not ours
            self._keep((raw, seen))

    def count_error(self) -> None:
        """Count an error frame that is kept as it came."""
        with self._changed:
            self._errors += 1

    def fail(self, error: LabError) -> None:
        """Say that nothing will be received any more, and why."""
        with self._changed:
            self._broken = error
            self._changed.notify_all()

    def latest(self) -> int:
        """Return the number of the newest frame, 0 when there is none."""
        with self._changed:
            return self._newest

    def find(self, number: int) -> CanFrame | None:
        """Return the frame of that number; None when it is not in the record (any more)."""
        with self._changed:
            there = max(1, self._oldest) <= number <= self._newest
            return self._frame(number) if there else None

    def entries(self, after: int, limit: int) -> tuple[int, list[Entry]]:
        """Return up to `limit` entries after number `after` that are still there, and the first one's number.

        What nobody has looked at yet is as it was received, with its time.
        """
        with self._changed:
            first = max(after + 1, self._oldest)
            last = min(first + limit, self._newest + 1)
            return first, [self._entries[(number - 1) % self._capacity] for number in range(first, last)]

    def next(self, after: int, timeout: float, context: Context) -> CanFrame | None:
        """Wait up to `timeout` seconds for the first received frame numbered above `after`.

        Raise LabError when frames after `after` are lost or the bus is broken, Cancelled
        when the step is stopped.
        """
        context.check_cancelled()
        with self._changed:
            frame = self._find(after)
        if frame is not None:
            return frame
        end = time.monotonic() + timeout
        release = context.on_cancel(self._wake)
        try:
            with self._changed:
                return self._wait(after, end, context)
        finally:
            release()

    def _wait(self, after: int, end: float, context: Context) -> CanFrame | None:
        while True:
            context.check_cancelled()
            frame = self._find(after)
            if frame is not None:
                return frame
            if self._broken is not None:
                raise self._broken
            after = max(after, self._newest)
            left = end - time.monotonic()
            if left <= 0:
                return None
            self._waiting += 1
            try:
                self._changed.wait(left)
            finally:
                self._waiting -= 1

    def counters(self) -> dict[str, int]:
        """Return how many frames were received, sent, erroneous, and lost from the record."""
        with self._changed:
            return {
                "received": self._received,
                "sent": self._newest - self._received,
                "errors": self._errors,
                "forgotten": max(0, self._newest - self._capacity),
            }

    @property
    def _oldest(self) -> int:
        return max(1, self._newest - self._capacity + 1)

    def _keep(self, entry: Entry) -> int:
        self._newest += 1
        if len(self._entries) < self._capacity:
            self._entries.append(entry)
        else:
            self._entries[(self._newest - 1) % self._capacity] = entry
        if self._waiting:
            self._changed.notify_all()
        return self._newest

    def _frame(self, number: int) -> CanFrame:
        place = (number - 1) % self._capacity
        entry = self._entries[place]
        if isinstance(entry, CanFrame):
            return entry
        if self._make is None:
            raise TypeError(f"nobody can make a frame of {entry!r}")
        frame = self._entries[place] = self._make(entry[0], entry[1], number)
        return frame

    def _find(self, after: int) -> CanFrame | None:
        oldest = self._oldest
        if after + 1 < oldest:
            raise LabError(
                f"{self._bus}: {oldest - after - 1} frames after number {after} are lost from the record",
                evidence={"after": after, "oldest": oldest, "capacity": self._capacity},
                hint="read frames sooner, or keep more of them with the driver's option 'record'",
            )
        for number in range(after + 1, self._newest + 1):
            frame = self._frame(number)
            if not frame.sent:
                return frame
        return None

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
