"""The record that a CAN bus keeps of its frames: bounded, numbered, waited on."""

from __future__ import annotations

import dataclasses
import threading
import time
from typing import TYPE_CHECKING

from runner.api.interfaces import CanFrame
from runner.api.verdicts import LabError, RecipeFault

if TYPE_CHECKING:
    from runner.api.context import Context

_FD_LENGTHS = (*range(9), 12, 16, 20, 24, 32, 48, 64)


def check_frame(frame: CanFrame) -> None:
    """Raise RecipeFault for a frame that no bus can carry (ISO 11898-1, 8.4)."""
    highest = 0x1FFFFFFF if frame.extended else 0x7FF
    if not 0 <= frame.id <= highest:
        raise RecipeFault(
            f"0x{frame.id:X} is no {'extended' if frame.extended else 'standard'} CAN identifier",
            evidence={"id": frame.id, "highest": highest},
            hint="" if frame.extended else "write extended: true for identifiers above 0x7FF",
        )
    lengths = _FD_LENGTHS if frame.fd else _FD_LENGTHS[:9]
    if len(frame.data) not in lengths:
        raise RecipeFault(
            f"a CAN {'FD ' if frame.fd else ''}frame cannot hold {len(frame.data)} bytes: 0x{frame.id:X}",
            evidence={"length": len(frame.data), "possible": list(lengths)},
            hint="" if frame.fd else "write fd: true for more than 8 bytes",
        )
    if frame.remote and (frame.fd or frame.data):
        raise RecipeFault(f"a remote frame carries no data and exists only in classic CAN: 0x{frame.id:X}")


class FrameRecord:
    """Numbers frames from 1 and keeps the newest `capacity` of them; safe to use from many threads."""

    def __init__(self, bus: str, capacity: int = 65536) -> None:
        """Start empty; `bus` names the bus in errors."""
        self._bus = bus
        self._frames: list[CanFrame] = []
        self._capacity = capacity
        self._newest = 0
        self._received = 0
        self._errors = 0
        self._broken: LabError | None = None
        self._changed = threading.Condition()

    def add(self, frame: CanFrame) -> int:
        """Keep a frame, with its number; return that."""
        with self._changed:
            self._newest += 1
            numbered = dataclasses.replace(frame, number=self._newest)
            if len(self._frames) < self._capacity:
                self._frames.append(numbered)
            else:
                self._frames[(self._newest - 1) % self._capacity] = numbered
            self._received += not frame.sent
            self._errors += frame.error
            self._changed.notify_all()
            return self._newest

    def fail(self, error: LabError) -> None:
        """Say that nothing will be received any more, and why."""
        with self._changed:
            self._broken = error
            self._changed.notify_all()

    def latest(self) -> int:
        """Return the number of the newest frame, 0 when there is none."""
        with self._changed:
            return self._newest

    def next(self, after: int, timeout: float, context: Context) -> CanFrame | None:
        """Wait up to `timeout` seconds for the first received frame numbered above `after`.

        Raise LabError when frames after `after` are lost or the bus is broken, Cancelled
        when the step is stopped.
        """
        end = time.monotonic() + timeout
        release = context.on_cancel(self._wake)
        try:
            with self._changed:
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
                    self._changed.wait(left)
        finally:
            release()

    def counters(self) -> dict[str, int]:
        """Return how many frames were received, sent, erroneous, and lost from the record."""
        with self._changed:
            return {
                "received": self._received,
                "sent": self._newest - self._received,
                "errors": self._errors,
                "forgotten": max(0, self._newest - self._capacity),
            }

    def _find(self, after: int) -> CanFrame | None:
        oldest = max(1, self._newest - self._capacity + 1)
        if after + 1 < oldest:
            raise LabError(
                f"{self._bus}: {oldest - after - 1} frames after number {after} are lost from the record",
                evidence={"after": after, "oldest": oldest, "capacity": self._capacity},
                hint="read frames sooner, or keep more of them with the driver's option 'record'",
            )
        for number in range(after + 1, self._newest + 1):
            frame = self._frames[(number - 1) % self._capacity]
            if not frame.sent:
                return frame
        return None

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
