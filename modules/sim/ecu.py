"""The control unit on a simulated board's CAN bus.

It has a supply of its own and answers, at once:

- 0x123 with any data: 0x456 with the first byte plus 0x40 and the rest as it came;
- 0x7DF ``02 01 0C``, engine speed (ISO 15031-5, service 01, PID 0C): 0x7E8 ``04 41 0C 1A F8``, 1726 rpm;
- 0x7DF with another PID of service 01: nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import replace

from runner.api import ByteString, CanBus, CanFrame, Context, Duration
from runner.api.frames import FrameRecord, check_frame

_SPEED_REQUEST = bytes.fromhex("02010C")
_SPEED_ANSWER = ByteString("04 41 0C 1A F8 00 00 00")


def answer(frame: CanFrame) -> CanFrame | None:
    """Return what the control unit says to a frame.

    >>> answer(CanFrame(0x123, ByteString("01 02"))).data.hex(" ")
    '41 02'
    """
    if frame.extended or frame.remote or frame.error:
        return None
    if frame.id == 0x123:
        first = bytes([(frame.data[0] + 0x40) % 256]) if frame.data else b""
        return replace(frame, id=0x456, data=ByteString(first + frame.data[1:]))
    if frame.id == 0x7DF and frame.data[:3] == _SPEED_REQUEST:
        return CanFrame(0x7E8, _SPEED_ANSWER)
    return None


class SimulatedBus(CanBus):
    """A bus with the control unit and us on it."""

    def __init__(self) -> None:
        """Start with an empty record."""
        self._record = FrameRecord("simulated CAN bus")
        self._one_at_a_time = threading.Lock()

    def send(self, frame: CanFrame, timeout: Duration) -> int:  # noqa: ARG002 - it never waits
        """Send a frame; raise RecipeFault for one that no bus can carry."""
        check_frame(frame)
        with self._one_at_a_time:
            number = self._record.add(replace(frame, sent=True, time=time.monotonic()))
            answered = answer(frame)
            if answered is not None:
                self._record.add(replace(answered, sent=False, time=time.monotonic()))
        return number

    def latest(self) -> int:
        """Return the number of the newest frame in the record."""
        return self._record.latest()

    def next(self, after: int, timeout: float, context: Context) -> CanFrame | None:
        """Wait for the first received frame numbered above `after`."""
        return self._record.next(after, timeout, context)

    def find(self, number: int) -> CanFrame | None:
        """Return the frame of that place in the record; None when it is not there."""
        return self._record.find(number)

    def info(self) -> Mapping[str, object]:
        """Return state and counters."""
        return {"interface": "simulated", "state": "active", **self._record.counters()}
