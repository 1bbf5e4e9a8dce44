"""What a module sees of the run: a voice, a clock, and whether it should stop."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from typing import Literal

from runner.api.values import Duration

Level = Literal["debug", "info", "warning", "error"]


class Context(abc.ABC):
    """Given to `Module.run`; the same on this machine and on a host."""

    bench: str
    """The bench's name."""
    devices: Mapping[str, str]
    """For each device field of the module, the name of the device it was given."""

    @abc.abstractmethod
    def log(self, text: str, level: Level = "info") -> None:
        """Say something in the report."""

    @abc.abstractmethod
    def progress(self, done: float, total: float | None = None, unit: str = "B") -> None:
        """Say how far a long step is; calls may come as often as one likes."""

    @abc.abstractmethod
    def measure(self, name: str, value: float, unit: str = "") -> None:
        """Put a number into the report."""

    @abc.abstractmethod
    def artifact(self, name: str, data: bytes) -> None:
        """Put a file into the run's ``artifacts/``."""

    @property
    @abc.abstractmethod
    def left(self) -> Duration:
        """The time until the step's hard limit."""

    @property
    @abc.abstractmethod
    def cancelled(self) -> bool:
        """True once the step must stop."""

    @abc.abstractmethod
    def on_cancel(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` when the step is cancelled (at once if it is already); return what takes it back."""

    @abc.abstractmethod
    def check_cancelled(self) -> None:
        """Raise Cancelled when the step must stop."""

    @abc.abstractmethod
    def sleep(self, seconds: float) -> None:
        """Wait; a cancel ends it with Cancelled."""
