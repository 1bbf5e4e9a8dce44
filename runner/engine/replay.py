"""The clock of a run that is replayed."""

from __future__ import annotations

from runner.connect.timeline import Timeline
from runner.engine.cancel import Cancellation


class ReplayClock:
    """The time of a recording: it passes when somebody waits, and no faster than the recording says."""

    def __init__(self, timeline: Timeline) -> None:
        """Follow a timeline."""
        self._timeline = timeline

    def now(self) -> float:
        """Return the time in seconds."""
        return self._timeline.now

    def wait(self, cancel: Cancellation, seconds: float) -> bool:
        """Let time pass until it is cancelled or over; tell whether it is cancelled."""
        until = self._timeline.now + seconds
        while cancel.cause is None and self._timeline.now < until:
            self._timeline.pass_until(until)
        return cancel.cause is not None
