"""The seam between the engine and whatever runs modules beside the hardware."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from runner.agent.calls import Heard, Request


class Crash(Exception):
    """A module or driver raised what it should not; the text is its traceback."""

    def __init__(self, message: str, traceback: str) -> None:
        """Keep the message and the remote traceback."""
        super().__init__(message)
        self.message = message
        self.traceback = traceback


class Cancel(Protocol):
    """Something that may ask a call to stop."""

    @property
    def cause(self) -> str | None:
        """Why to stop, or None to go on."""

    def watch(self, wake: Callable[[str], None]) -> Callable[[], None]:
        """Call `wake(cause)` once when it happens (at once if it has); return what takes it back."""


class Link(Protocol):
    """A connection to one agent; safe to use from many threads."""

    @property
    def lost(self) -> str:
        """Why the agent is gone; empty while it lives or has not been started."""

    def call(self, request: Request, hear: Callable[[Heard], None], *, cancel: Cancel) -> Any:
        """Run one request to its end and return its answer, still encoded (`runner.api.codec`).

        `hear` is called, from one thread, for what happens meanwhile. Raises the module's
        verdict, `Crash`, or `LabError` when the agent is gone or did not stop when told to.
        """

    def close(self) -> None:
        """End the agent; its devices are closed, its locks dropped. Takes 10 s at most."""
