"""Keep a part of what a CAN bus receives."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from runner.api import CanBus, CanFrame, Context, Duration, Misfit, Module, Result, arg, device
from runner.modules.can.frame import Filter, filters_of
from runner.modules.can.logs import Log

_KEPT = 10_000


class Recorded(Result):
    """What was received in that time."""

    count: int
    frames: tuple[CanFrame, ...]
    """The first 10,000 of them."""
    rate: float
    """Frames a second."""
    file: str
    """The name of the log among the artifacts; empty when none was asked for."""


class CanRecord(Module):
    """Keep what a CAN bus receives for a while, and put it among the artifacts.

    The driver writes a log of the whole run all the same; this is a part of it, with a name.

    Example::

        - can_record: {duration: 2s, file: start.asc}
        - can_record: {count: 100, duration: 10s, filters: [{id: 0x100}]}
    """

    limited_by = "duration"

    duration: Duration = arg(default=Duration("1s"), help="how long, at most")
    count: int | None = arg(default=None, help="end after so many frames", minimum=1)
    filters: list[Filter] = arg(default=[], help="only frames that one of these lets pass")
    since: Literal["now", "send", "start"] = arg(
        default="now", help="begin with the frames from now on, since the latest can_send, or with the oldest"
    )
    file: str = arg(default="", help="its name among the artifacts: .asc, .blf, .csv or .log (candump)")
    bus: CanBus = device(help="the bus")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say when the file would have no format."""
        suffix = Path(given.get("file") or "x.asc").suffix.lower()
        if suffix not in {".asc", ".blf", ".csv", ".log"}:
            yield Misfit("file", f"no log has the ending {suffix!r}", "write .asc, .blf, .csv or .log")

    def run(self, context: Context) -> Recorded:
        """Take frames until the time is over."""
        began = time.monotonic()
        if not self.file:
            return self._recorded(began, None, context)
        with tempfile.TemporaryDirectory(prefix="runner-can-") as folder:
            path = Path(folder) / f"log{Path(self.file).suffix.lower()}"
            log = Log(path)
            try:
                done = self._recorded(began, log, context)
            finally:
                log.close()
                context.artifact(self.file, path)
            return done

    def _recorded(self, began: float, log: Log | None, context: Context) -> Recorded:
        filters = filters_of(self.filters)
        end, after, count = began + self.duration, self._start(), 0
        kept: list[CanFrame] = []
        while self.count is None or count < self.count:
            frame = self.bus.next(after, max(0.0, end - time.monotonic()), context)
            if frame is None or frame.time > end:
                break
            after = frame.number
            if filters and not any(each.passes(frame) for each in filters):
                continue
            count += 1
            kept += [frame] if count <= _KEPT else []
            if log is not None:
                log.write(frame)
        elapsed = time.monotonic() - began
        return Recorded(count=count, frames=tuple(kept), rate=count / elapsed, file=self.file)

    def _start(self) -> int:
        if self.since == "now":
            return self.bus.latest()
        return self.bus.last_sent if self.since == "send" else 0
