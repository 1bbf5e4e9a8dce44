"""Leaving a shell: echo and log level as they were."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from runner.api import Context, Duration, Keep, Kept, LabError, Level
from runner.console import frame
from runner.console.keyboard import say_checked
from runner.console.live import Deadline, Live

_LIMIT = 1.0


class _Nobody(Context):
    """The context when no step is running."""

    bench = ""
    devices: Mapping[str, str] = {}

    def log(self, text: str, level: Level = "info") -> None:
        """There is no report to say it in."""

    def progress(self, done: float, total: float | None = None, unit: str = "B") -> None:
        """Nobody looks."""

    def measure(self, name: str, value: float, unit: str = "") -> None:
        """Nobody looks."""

    def artifact(self, name: str, data: bytes | Path, keep: Keep | None = None) -> Kept:  # noqa: ARG002
        """There is nowhere to put it."""
        return Kept(0, "")

    @property
    def left(self) -> Duration:
        """A second."""
        return Duration(_LIMIT)

    @property
    def cancelled(self) -> bool:
        """Nothing can stop it."""
        return False

    def on_cancel(self, wake: Callable[[], None]) -> Callable[[], None]:  # noqa: ARG002 - as declared
        """Never call it."""
        return lambda: None

    def check_cancelled(self) -> None:
        """Nothing can stop it."""

    def sleep(self, seconds: float) -> None:
        """Typing slowly is not worth the time now."""


def leave_shell(live: Live, nonces: frame.Nonces) -> None:
    """Restore what `enter` changed, if the shell is still there; give up after a second."""
    if live.place.kind != "shell" or live.source.gone:
        return
    context = _Nobody()
    nonce = nonces.next(4)
    line = frame.checked_line(frame.restore(live.place.kernel_level), nonce)
    try:
        say_checked(live, nonce, line, Deadline(live, _LIMIT, "closing", context), context)
    except LabError as error:
        live.remark(f"the shell was left as it is: {error.message}")
