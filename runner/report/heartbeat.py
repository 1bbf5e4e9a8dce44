"""Plain lines with a sign of life: CI ends jobs that say nothing, and people do, too."""

from __future__ import annotations

import threading
from typing import TextIO

from runner.fold import RunResult
from runner.report.colours import Paint
from runner.report.plain import Plain

_LOOK = 1.0
"""Seconds between two looks at the clock."""


class Steady(Plain):
    """Prints what `Plain` does, and from a thread of its own how far long steps are."""

    def __init__(
        self, stream: TextIO, paint: Paint, result: RunResult, *, verbose: int, console: bool
    ) -> None:
        """Print to a stream until closed."""
        super().__init__(stream, paint, result, verbose=verbose, console=console)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread and print what is left."""
        self._stopping.set()
        self._thread.join()
        super().close()

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK):
            self.beat()
