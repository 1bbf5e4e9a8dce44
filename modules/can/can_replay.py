"""Play a log of frames on a CAN bus."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from runner.api import CanBus, Context, Duration, FilePath, Misfit, Module, RecipeFault, Result, arg, device
from runner.modules.can.frame import Filter, filters_of
from runner.modules.can.logs import frames_in

_SUFFIXES = (".asc", ".blf", ".csv", ".log", ".trc", ".mf4")


class Replayed(Result):
    """What was sent."""

    sent: int
    elapsed: Duration
    late: Duration
    """By how much the latest frame was behind its time."""


class CanReplay(Module):
    """Send the frames of a log on a CAN bus, with the times between them.

    Example::

        - can_replay: {file: logs/ignition.asc}
        - can_replay: {file: logs/drive.blf, speed: 10, filters: [{id: 0x100, mask: 0x700}]}
    """

    file: FilePath = arg(primary=True, help="the log: .asc, .blf, .csv, .log (candump), .trc or .mf4")
    speed: float = arg(default=1.0, help="how many times as fast as it was recorded", minimum=0.001)
    filters: list[Filter] = arg(default=[], help="only frames that one of these lets pass")
    count: int = arg(default=1, help="how many times it is played", minimum=1)
    timeout: Duration = arg(default=Duration("1s"), help="how long the bus may take to accept a frame")
    bus: CanBus = device(help="the bus it is sent on")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say when the file can be no log."""
        file = given.get("file")
        if file and Path(file).suffix.lower() not in _SUFFIXES:
            yield Misfit(
                "file", f"{Path(file).name} is no log of frames", f"it ends in {', '.join(_SUFFIXES)}"
            )

    def run(self, context: Context) -> Replayed:
        """Send frame after frame, each at its time."""
        began = time.monotonic()
        sent, late = 0, 0.0
        for _ in range(self.count):
            more, behind = self._once(context)
            sent, late = sent + more, max(late, behind)
        if not sent:
            raise RecipeFault(f"{Path(self.file).name} holds no frame that is to be sent")
        return Replayed(sent=sent, elapsed=Duration(time.monotonic() - began), late=Duration(late))

    def _once(self, context: Context) -> tuple[int, float]:
        filters = filters_of(self.filters)
        began = time.monotonic()
        first: float | None = None
        sent, late = 0, 0.0
        for stamp, frame in frames_in(self.file):
            if filters and not any(each.passes(frame) for each in filters):
                continue
            first = stamp if first is None else first
            due = began + (stamp - first) / self.speed
            left = due - time.monotonic()
            if left > 0:
                context.sleep(left)
            context.check_cancelled()
            late = max(late, time.monotonic() - due)
            number = self.bus.send(frame, self.timeout)
            if not sent:
                self.bus.last_sent = number
            sent += 1
        return sent, late
