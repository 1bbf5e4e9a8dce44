"""A connection to an agent that is made with the first call and kept to the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, Protocol

from runner.agent.calls import ConsoleBytes, Heard, Request
from runner.api.verdicts import Cancelled, LabError
from runner.connect.channel import Channel, Port
from runner.connect.link import Cancel, Link

_LAST_LINES_WITHIN = 0.5


class OpenPort(Port, Protocol):
    """A port that holds something until it is released."""

    def release(self) -> None:
        """Give back what the port holds; only once it has ended and nobody reads any more."""


class AgentLink(Link):
    """Opens the port with the first call, and ends the agent with `close`.

    The port is opened in a thread of its own: whoever is cancelled meanwhile need not wait for it.
    """

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
        self._opening: Future[Channel] | None = None
        self._closed = False

    @property
    def lost(self) -> str:
        """Why the agent is gone or could not be had; empty while it lives or has not been started."""
        opening = self._opening
        if opening is None or not opening.done():
            return ""
        problem = opening.exception()
        if problem is None:
            return opening.result().lost
        return problem.message if isinstance(problem, LabError) else str(problem)

    def call(self, request: Request, hear: Callable[[Heard], None], *, cancel: Cancel) -> Any:
        """Run one request to its end and return its answer, still encoded."""
        return self._opened(cancel).call(request, hear, cancel)

    def close(self) -> None:
        """End the agent; its devices are closed, its locks dropped. Takes 10 s at most.

        One that is still being reached is ended by whoever reaches it.
        """
        with self._lock:
            again, self._closed = self._closed, True
            opening = self._opening
        if not again and opening is not None and opening.done() and opening.exception() is None:
            self._end(opening.result())

    def _opened(self, cancel: Cancel) -> Channel:
        opening = self._opening or self._begin()
        if not opening.done():
            _wait(opening, cancel)
        problem = opening.exception()
        if isinstance(problem, LabError):
            raise _again(problem)
        return opening.result()

    def _begin(self) -> Future[Channel]:
        with self._lock:
            if self._closed:
                raise LabError(f"{self._name} was closed")
            if self._opening is None:
                self._opening = Future()
                threading.Thread(
                    target=self._open, args=(self._opening,), name=f"to {self._name}", daemon=True
                ).start()
            return self._opening

    def _open(self, opening: Future[Channel]) -> None:
        try:
            channel = self._start()
        except BaseException as error:  # noqa: BLE001 - it is for those who wait
            opening.set_exception(error)
            return
        with self._lock:
            opening.set_result(channel)
            nobody = self._closed
        if nobody:
            self._end(channel)

    def _end(self, channel: Channel) -> None:
        channel.lose("was closed")
        channel.join(_LAST_LINES_WITHIN)
        if self._port is not None:
            self._port.release()

    def _start(self) -> Channel:
        self._port = self._open_port()
        return Channel(
            self._port,
            self._sources(),
            self._console,
            self._heard,
            name=self._name,
            patience=self._patience,
            silence=self._silence,
        )


def _wait(opening: Future[Channel], cancel: Cancel) -> None:
    """Wait until the port is open; raise Cancelled when that is not waited for any more."""
    woken = threading.Event()
    opening.add_done_callback(lambda _opening: woken.set())
    leave = cancel.watch(lambda _cause: woken.set())
    try:
        woken.wait()
    finally:
        leave()
    if not opening.done():
        raise Cancelled(cancel.cause or "cancelled")


def _again(error: LabError) -> LabError:
    """Return the same error for another caller: raised twice, one object would gather both tracebacks."""
    return type(error)(error.message, evidence=error.evidence, hint=error.hint)
