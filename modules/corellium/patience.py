"""How long one order may take, and the wait between two looks at what became of it."""

from __future__ import annotations

import threading
import time

from runner.api import Duration, LabError


class Patience:
    """A time that runs from now on; whoever waits within it can be woken for good."""

    def __init__(self, limit: Duration) -> None:
        """Begin to wait at most so long."""
        self.limit = limit
        self._until = time.monotonic() + limit
        self._given_up = threading.Event()

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return max(0.0, self._until - time.monotonic())

    @property
    def over(self) -> bool:
        """Whether nothing is left."""
        return not self.left

    def give_up(self) -> None:
        """End the wait; from any thread."""
        self._given_up.set()

    def wait(self, seconds: float) -> None:
        """Wait so long, or until the time is over; raise LabError when nobody waits for it any more."""
        if self._given_up.wait(min(seconds, self.left)):
            raise LabError("it was given up before it had ended")
