"""Wait for a frame on a CAN bus, or for its absence."""

from __future__ import annotations

import time
from collections import deque
from typing import Literal

from runner.api import (
    BytePattern,
    ByteString,
    CanBus,
    CanFrame,
    Context,
    Duration,
    Failed,
    Module,
    Result,
    TimedOut,
    arg,
    device,
)

_STANDARD = 0x7FF
_SHOWN = 8


class Received(Result):
    """What was received: the last matching frame, and all of them."""

    data: ByteString
    """Of the last one; empty when none had to come."""
    frames: tuple[CanFrame, ...]
    elapsed: Duration
    """How long it was waited; 0 for what was there before."""


class CanExpect(Module):
    """Wait until a frame comes on a CAN bus, or make sure that none does.

    Looked at are the frames received since the latest `can_send` on this bus, or since the bus
    was opened when there was none, also those that came before this step began.

    Example::

        - can_send: {id: 0x7DF, data: "02 01 0C"}
        - can_expect: {id: 0x7E8, data: "04 41 0C ?? ??", within: 100ms}
          register: speed
        - can_expect: {id: 0x7E9, within: 500ms, absent: true}
    """

    limited_by = "within"

    id: int = arg(help="its identifier", minimum=0, maximum=0x1FFFFFFF)
    mask: int = arg(
        default=0x1FFFFFFF, help="the bits of the identifier that count", minimum=0, maximum=0x1FFFFFFF
    )
    data: BytePattern | None = arg(
        default=None, help='its bytes, ?? for any: "41 ?? 00"; left out: whatever they are'
    )
    extended: bool | None = arg(
        default=None, help="whether its identifier has 29 bits; left out: when it is above 0x7FF"
    )
    count: int = arg(default=1, help="how many such frames must come", minimum=1)
    within: Duration = arg(default=Duration("1s"), help="how long to wait")
    absent: bool = arg(default=False, help="true: no such frame may come as long as that")
    since: Literal["send", "start", "now"] | int = arg(
        default="send",
        help="the frames to look at: since the latest can_send, since the bus was opened, from now on, "
        "or after the frame of this number",
    )
    bus: CanBus = device(help="the bus it comes on")

    def run(self, context: Context) -> Received:
        """Look at frames until enough of them match or the time is over."""
        started = time.monotonic()
        end = started + self.within
        after = self._start()
        found: list[CanFrame] = []
        others: deque[CanFrame] = deque(maxlen=_SHOWN)
        while len(found) < self.count:
            frame = self.bus.next(after, max(end - time.monotonic(), 0.0), context)
            if frame is None or frame.time > end:
                break
            after = frame.number
            (found if self._matches(frame) else others).append(frame)
            if found and self.absent:
                raise self._unwanted(found[0])
        if self.absent:
            return Received(data=ByteString(""), frames=(), elapsed=self.within)
        if len(found) < self.count:
            raise self._missing(found, others)
        last = found[-1]
        return Received(data=last.data, frames=tuple(found), elapsed=Duration(max(last.time - started, 0.0)))

    def _start(self) -> int:
        match self.since:
            case "send":
                return self.bus.last_sent
            case "start":
                return 0
            case "now":
                return self.bus.latest()
            case number:
                return number

    def _matches(self, frame: CanFrame) -> bool:
        extended = self.id > _STANDARD if self.extended is None else self.extended
        return (
            not frame.error
            and frame.extended == extended
            and frame.id & self.mask == self.id & self.mask
            and (self.data is None or self.data.matches(frame.data))
        )

    def _missing(self, found: list[CanFrame], others: deque[CanFrame]) -> TimedOut:
        many = f"{len(found)} of {self.count} frames" if self.count > 1 else "no frame"
        near = [frame for frame in others if frame.id == self.id] or list(others)
        seen = f", but {shown(near[-1])}" if near else ", and no other"
        return TimedOut(
            f"{many} {self._wanted()} within {self.within}{seen}",
            evidence={
                "expected": self._wanted(),
                "found": [shown(frame) for frame in found],
                "others": [shown(frame) for frame in others],
                "within": float(self.within),
                "limit": "within",
            },
        )

    def _unwanted(self, frame: CanFrame) -> Failed:
        return Failed(
            f"{shown(frame)} came, which must not come within {self.within}",
            evidence={"unexpected": self._wanted(), "seen": shown(frame), "within": float(self.within)},
        )

    def _wanted(self) -> str:
        return f"0x{self.id:X}" + (f" [{self.data}]" if self.data is not None else "")


def shown(frame: CanFrame) -> str:
    """Write a frame for a person.

    >>> shown(CanFrame(0x456, ByteString("41 02")))
    '0x456 [41 02]'
    """
    return f"0x{frame.id:X} [{frame.data}]" + (
        " extended" if frame.extended and frame.id <= _STANDARD else ""
    )
