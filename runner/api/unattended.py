"""The context of work that no step waits for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from runner.api.context import Context, Keep, Kept, Level
from runner.api.values import Duration
from runner.api.verdicts import Cancelled


class Unattended(Context):
    """Nobody hears what is said in it; it ends when `stop` is called."""

    bench = ""
    devices: Mapping[str, str] = {}

    def __init__(self) -> None:
        """Go on until `stop`."""
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._wakes: list[Callable[[], None]] = []

    def stop(self) -> None:
        """Wake whoever waits, and have them give up."""
        with self._lock:
            self._stopped.set()
            wakes = tuple(self._wakes)
        for wake in wakes:
            wake()

    def log(self, text: str, level: Level = "info") -> None:
        """There is no report to say it in."""

    def progress(self, done: float, total: float | None = None, unit: str = "B") -> None:
        """Nobody looks."""

    def measure(self, name: str, value: float, unit: str = "") -> None:
        """Nobody looks."""

    def artifact(self, name: str, data: bytes | Path, keep: Keep | None = None) -> Kept:  # noqa: ARG002
        """Refuse: there is no step that the file would belong to."""
        raise ValueError(f"{name}: files belong to steps")

    @property
    def left(self) -> Duration:
        """No limit but `stop`: a day."""
        return Duration(86400)

    @property
    def cancelled(self) -> bool:
        """Tell whether it was stopped."""
        return self._stopped.is_set()

    def on_cancel(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` when it is stopped, at once if it is already."""
        with self._lock:
            self._wakes.append(wake)
        if self.cancelled:
            wake()
        return lambda: self._forget(wake)

    def check_cancelled(self) -> None:
        """Raise Cancelled when it was stopped."""
        if self.cancelled:
            raise Cancelled("it was stopped")

    def sleep(self, seconds: float) -> None:
        """Wait; `stop` ends it."""
        if self._stopped.wait(seconds):
            self.check_cancelled()

    def _forget(self, wake: Callable[[], None]) -> None:
        with self._lock:
            self._wakes.remove(wake)
