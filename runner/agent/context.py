"""The context of modules that run beside the hardware."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from runner.agent.calls import Advanced, Heard, Noted, Said
from runner.agent.stop import Stop
from runner.api.context import Context, Keep, Kept, Level
from runner.api.values import Duration

PROGRESS_EVERY = 0.1
"""Seconds between two reports of progress; those in between are left out."""
LONGEST_TEXT = 8 * 1024
"""Characters of a log line in one event; JSON makes up to six bytes of each."""

Save = Callable[[str, bytes | Path, Keep | None], Kept]


class AgentContext(Context):
    """Tells the controller what a module says, and the module what its limit is."""

    def __init__(
        self,
        *,
        bench: str,
        devices: Mapping[str, str],
        limit: float,
        stop: Stop,
        hear: Callable[[Heard], None],
        save: Save,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Serve one call; `clock` says what time it is, in seconds."""
        self.bench = bench
        self.devices = devices
        self._clock = clock
        self._until = clock() + limit
        self._stop = stop
        self._hear = hear
        self._save = save
        self._saving = threading.Lock()
        self._progressed = 0.0
        self._unsaid: Advanced | None = None

    def log(self, text: str, level: Level = "info") -> None:
        """Say something in the report."""
        for start in range(0, len(text) or 1, LONGEST_TEXT):
            self._hear(Said(text=text[start : start + LONGEST_TEXT], level=level))

    def progress(self, done: float, total: float | None = None, unit: str = "B") -> None:
        """Say how far the step is; the last word is always heard."""
        self._unsaid = Advanced(done=done, total=total, unit=unit)
        now = self._clock()
        if now - self._progressed >= PROGRESS_EVERY:
            self._progressed = now
            self.finish()

    def measure(self, name: str, value: float, unit: str = "") -> None:
        """Put a number into the report."""
        self._hear(Noted(name=name, value=value, unit=unit))

    def artifact(self, name: str, data: bytes | Path, keep: Keep | None = None) -> Kept:
        """Put a file into the run's artifacts; waits as long as the controller does not read."""
        with self._saving:
            return self._save(name, data if isinstance(data, Path) else bytes(data), keep)

    @property
    def left(self) -> Duration:
        """Return the time until the step's hard limit."""
        return Duration(max(0.0, self._until - self._clock()))

    @property
    def cancelled(self) -> bool:
        """Tell whether the step must stop."""
        return self._stop.cause is not None

    def on_cancel(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` when the step is cancelled."""
        return self._stop.watch(wake)

    def check_cancelled(self) -> None:
        """Raise when the step must stop."""
        if self._stop.cause is not None:
            raise self._stop.verdict()

    def sleep(self, seconds: float) -> None:
        """Wait; a cancel or the limit ends it early."""
        if self._stop.wait(seconds):
            raise self._stop.verdict()

    def finish(self) -> None:
        """Say the progress that was left out."""
        if self._unsaid is not None:
            self._hear(self._unsaid)
            self._unsaid = None
