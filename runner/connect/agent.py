"""A connection to an agent that is made with the first call and kept to the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from runner.agent.calls import ConsoleBytes, Heard, Request
from runner.agent.forwarding import Forward, Unforward
from runner.api.verdicts import Cancelled, LabError
from runner.connect.channel import NO_CACHE, Cache, Channel, Port
from runner.connect.link import Cancel, Link
from runner.connect.placing import Placing

if TYPE_CHECKING:
    from runner.connect.forwards import Forwards

_LAST_LINES_WITHIN = 0.5


class OpenPort(Port, Protocol):
    """A port that holds something until it is released."""

    def release(self) -> None:
        """Give back what the port holds; only once it has ended and nobody reads any more."""


class _Opening:
    """What comes of opening a port: a channel, or an error for everyone who waits for it."""

    def __init__(self) -> None:
        self.channel: Channel | None = None
        self.error: BaseException | None = None
        self._changed = threading.Condition()

    def end(self, channel: Channel | None, error: BaseException | None = None) -> None:
        """Tell all who wait."""
        with self._changed:
            self.channel, self.error = channel, error
            self._changed.notify_all()

    def wait(self, cancel: Cancel) -> Channel:
        """Return the channel once it is there; raise its error, or Cancelled when told to stop."""
        if self.channel is None and self.error is None:
            self._wait(cancel)
        if self.channel is not None:
            return self.channel
        if isinstance(self.error, LabError):
            raise _again(self.error)
        raise self.error or Cancelled(cancel.cause or "cancelled")

    def _wait(self, cancel: Cancel) -> None:
        leave = cancel.watch(lambda _cause: self._wake())
        try:
            with self._changed:
                self._changed.wait_for(lambda: self.channel or self.error or cancel.cause is not None)
        finally:
            leave()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


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
        cache: Cache = NO_CACHE,
        placing: Placing | None = None,
    ) -> None:
        """Remember how to start it; see `Channel` for what the other arguments mean.

        `placing` copies files to the agent's machine; None when it is this one.
        """
        self._cache = cache
        self._placing = placing
        self._open_port = open_port
        self._name = name
        self._sources = sources
        self._console = console
        self._heard = heard
        self._patience = patience
        self._silence = silence
        self._lock = threading.Lock()
        self._port: OpenPort | None = None
        self._opening: _Opening | None = None
        self._forwards: Forwards | None = None
        self._closed = False

    @property
    def lost(self) -> str:
        """Why the agent is gone or could not be had; empty while it lives or has not been started."""
        opening = self._opening
        if opening is None:
            return ""
        if opening.channel is not None:
            return opening.channel.lost
        return opening.error.message if isinstance(opening.error, LabError) else str(opening.error or "")

    def call(self, request: Request, hear: Callable[[Heard], None], *, cancel: Cancel) -> Any:
        """Run one request to its end and return its answer, still encoded."""
        if isinstance(request, Forward):
            return self._forwarding(cancel).open(request, hear, cancel)
        if isinstance(request, Unforward):
            return self._forwards.give_up(request) if self._forwards is not None else None
        channel = self._opened(cancel)
        if self._placing is not None:
            request = self._placing.placed(request, channel, hear, cancel)
        return channel.call(request, hear, cancel)

    def wait(self, cancel: Cancel) -> str:
        """Wait until the agent is gone, and say why; it is started if need be."""
        return self._opened(cancel).wait()

    def close(self) -> None:
        """End the agent; its devices are closed, its locks dropped. Takes 10 s at most.

        One that is still being reached is ended by whoever reaches it.
        """
        with self._lock:
            again, self._closed = self._closed, True
            opening, forwards = self._opening, self._forwards
        if forwards is not None:
            forwards.close_all()
        if not again and opening is not None and opening.channel is not None:
            self._end(opening.channel)

    def _forwarding(self, cancel: Cancel) -> Forwards:
        from runner.connect.forwards import Forwards

        channel = self._opened(cancel)
        with self._lock:
            self._forwards = self._forwards or Forwards(channel, self._heard)
            return self._forwards

    def _opened(self, cancel: Cancel) -> Channel:
        opening = self._opening or self._begin()
        return opening.wait(cancel)

    def _begin(self) -> _Opening:
        with self._lock:
            if self._closed:
                raise LabError(f"{self._name} was closed")
            if self._opening is None:
                self._opening = opening = _Opening()
                threading.Thread(
                    target=self._open, args=(opening,), name=f"to {self._name}", daemon=True
                ).start()
            return self._opening

    def _open(self, opening: _Opening) -> None:
        try:
            channel = self._start()
        except BaseException as error:  # noqa: BLE001 - it is for those who wait
            opening.end(None, error)
            return
        with self._lock:
            opening.end(channel)
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
            cache=self._cache,
        )


def _again(error: LabError) -> LabError:
    """Return the same error for another caller: raised twice, one object would gather both tracebacks."""
    return type(error)(error.message, evidence=error.evidence, hint=error.hint)
