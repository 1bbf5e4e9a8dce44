"""Steps that run while later ones go on."""

from __future__ import annotations

import threading
from collections.abc import Callable

from runner.engine.cancel import Cancellation
from runner.engine.end import End

STOPPED = "stopped by the recipe"


class Background:
    """One running step, in a thread of its own."""

    def __init__(self, name: str, play: Callable[[Cancellation], End], outer: Cancellation) -> None:
        """Start it; when it fails, everything under `outer` is cancelled."""
        self.name = name
        self._cancel = Cancellation(outer)
        self._outer = outer
        self._end: End | None = None
        self._thread = threading.Thread(
            target=self._run, args=(play,), name=f"background {name}", daemon=True
        )
        self._thread.start()

    def _run(self, play: Callable[[Cancellation], End]) -> None:
        end = play(self._cancel)
        self._end = end
        if not end.good and self._cancel.cause is None:
            message = end.problem.message if end.problem else end.outcome.word
            self._outer.cancel(f"background step {self.name!r} did not pass: {message}")

    def stop(self) -> End:
        """End it now and return how it was; being stopped is not a failure."""
        self._cancel.cancel(STOPPED)
        return self.join()

    def join(self) -> End:
        """Wait until it ends by itself. Its own time limit bounds the wait."""
        self._thread.join()
        if self._end is None:
            raise RuntimeError(f"background step {self.name!r} ended without a result")
        return self._end
