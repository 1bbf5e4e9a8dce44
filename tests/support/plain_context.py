"""A context for driving interfaces by hand: it hears nothing and can be cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from runner.api import Cancelled, Context, Duration, Keep, Kept, Level


class PlainContext(Context):
    """Never ends by itself; `cancel` stops whoever waits."""

    bench = "bench"
    devices: Mapping[str, str] = {}

    def __init__(self) -> None:
        self._wakes: list[Callable[[], None]] = []
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        self._cancelled.set()
        for wake in list(self._wakes):
            wake()

    def log(self, text: str, level: Level = "info") -> None:
        pass

    def progress(self, done: float, total: float | None = None, unit: str = "B") -> None:
        pass

    def measure(self, name: str, value: float, unit: str = "") -> None:
        pass

    def artifact(self, name: str, data: bytes | Path, keep: Keep | None = None) -> Kept:
        return Kept(0, "")

    @property
    def left(self) -> Duration:
        return Duration(3600)

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def on_cancel(self, wake: Callable[[], None]) -> Callable[[], None]:
        self._wakes.append(wake)
        if self.cancelled:
            wake()
        return lambda: self._wakes.remove(wake)

    def check_cancelled(self) -> None:
        if self.cancelled:
            raise Cancelled("the test has cancelled")

    def sleep(self, seconds: float) -> None:
        if self._cancelled.wait(seconds):
            self.check_cancelled()
