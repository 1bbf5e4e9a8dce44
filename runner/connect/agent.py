"""A connection to an agent that is made with the first call and kept to the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from runner.agent.calls import ConsoleBytes, Heard, Request
from runner.api.verdicts import LabError
from runner.connect.channel import Channel, Port
from runner.connect.link import Cancel, Link

_LAST_LINES_WITHIN = 0.5


class OpenPort(Port, Protocol):
    """A port that holds something until it is released."""

    def release(self) -> None:
        """Give back what the port holds; only once it has ended and nobody reads any more."""


class AgentLink(Link):
    """Opens the port with the first call, and ends the agent with `close`."""

    def __init__(
        self,
        open_port: Callable[[], OpenPort],
        *,
        name: str,
        sources: Callable[[], Mapping[str, tuple[str, str]]],
        console: Callable[[ConsoleBytes], None],
        heard: Callable[[Heard], None],
        patience: float = 60.0,
        silence: float | None = None,
    ) -> None:
        """Remember how to start it; see `Channel` for what the other arguments mean."""
        self._open_port = open_port
        self._name = name
        self._sources = sources
        self._console = console
        self._heard = heard
        self._patience = patience
        self._silence = silence
        self._lock = threading.Lock()
        self._port: OpenPort | None = None
        self._channel: Channel | None = None
        self._refused: LabError | None = None
        self._closed = False

    @property
    def lost(self) -> str:
        """Why the agent is gone or could not be had; empty while it lives or has not been started."""
        if self._refused is not None:
            return self._refused.message
        return "" if self._channel is None else self._channel.lost

    def call(self, request: Request, hear: Callable[[Heard], None], *, cancel: Cancel) -> Any:
        """Run one request to its end and return its answer, still encoded."""
        return self._started().call(request, hear, cancel)

    def close(self) -> None:
        """End the agent; its devices are closed, its locks dropped. Takes 10 s at most."""
        with self._lock:
            again, self._closed = self._closed, True
        if self._channel is None or self._port is None or again:
            return
        self._channel.lose("was closed")
        self._channel.join(_LAST_LINES_WITHIN)
        self._port.release()

    def _started(self) -> Channel:
        with self._lock:
            if self._closed:
                raise LabError(f"{self._name} was closed")
            if self._refused is not None:
                raise _again(self._refused)
            if self._channel is None:
                self._channel = self._start()
            return self._channel

    def _start(self) -> Channel:
        try:
            self._port = self._open_port()
        except LabError as error:
            self._refused = error
            raise
        return Channel(
            self._port,
            self._sources(),
            self._console,
            self._heard,
            name=self._name,
            patience=self._patience,
            silence=self._silence,
        )


def _again(error: LabError) -> LabError:
    """Return the same error for another caller: raised twice, one object would gather both tracebacks."""
    return type(error)(error.message, evidence=error.evidence, hint=error.hint)
