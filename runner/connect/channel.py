"""The controller's half of the protocol, over any port: a pipe, a socket, an SSH channel."""

from __future__ import annotations

import hashlib
import itertools
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from runner.agent.calls import ConsoleBytes, Heard, Request
from runner.agent.forwarding import Carry
from runner.agent.frames import CONNECTION, FIRST_CONSOLE, PROTOCOL, FrameReader, Kind, ProtocolError
from runner.agent.messages import WANTED, Message, MessageReader, from_json, pack_sources, to_json
from runner.agent.outbox import Outbox
from runner.agent.stop import Stop
from runner.agent.wording import pack, unpack_heard
from runner.api.verdicts import LabError
from runner.connect.busy import Busy
from runner.connect.ears import Ears
from runner.connect.inflight import InFlight, Lost
from runner.connect.link import Cancel
from runner.connect.source import Source
from runner.connect.upload import Upload

_Call = TypeVar("_Call", bound=InFlight)
BUNDLE = "runner.agent.bundle"
"""The module that is pushed first: it finds the others in the cache of the host."""
_READ = 64 * 1024
_LAST_WORDS_WITHIN = 10.0


@dataclass(frozen=True)
class Cache:
    """The folder on the host in which files may stay, and how many bytes of them; none without a folder."""

    cache: str = ""
    cache_size: int | None = None


NO_CACHE = Cache()


class Port(Protocol):
    """Bytes to and from an agent."""

    def read(self, size: int, timeout: float) -> bytes | None:
        """Return what has come, up to `size` bytes; ``b""`` at the end, None when the time is over."""

    def write(self, data: bytes) -> None:
        """Write all of it; raise OSError when the agent is gone."""

    def last_words(self) -> str:
        """End the agent if it has not ended; say how that was and, on further lines, what it last printed.

        Called once.
        """


class Channel:
    """A conversation with one agent: several calls at once, consoles, and a sign of life now and then."""

    def __init__(
        self,
        port: Port,
        sources: Mapping[str, tuple[str, str]],
        console: Callable[[ConsoleBytes], None],
        heard: Callable[[Heard], None],
        *,
        name: str,
        patience: float = 60.0,
        silence: float | None = None,
        cache: Cache = NO_CACHE,
    ) -> None:
        """Push `sources` and greet the agent; `heard` gets what it says beside all calls.

        After `patience` seconds without a word of ours the agent takes us for dead; after
        `silence` seconds (when left out, as many) without one of the agent's we take it for dead.
        """
        self._end: Lost | None = None
        self._bundle = b""
        self._port = port
        self._name = name
        self._heard = heard
        self._patience = patience
        self._cache = cache
        self._silence = patience if silence is None else silence
        self._outbox = Outbox(port.write)
        self._ears = Ears(console, heard, self._outbox, self._broken, name=name)
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._calls: dict[int, InFlight] = {}
        self._busy = Busy()
        self._greeted = False
        self._ending = False
        self._over = threading.Event()
        self._threads = tuple(
            threading.Thread(target=work, name=f"{name} {what}", daemon=True)
            for work, what in ((self._read, "reader"), (self._keep_alive, "pings"))
        )
        for thread in self._threads:
            thread.start()
        self._greet(sources)

    @property
    def lost(self) -> str:
        """Why the agent is gone; empty while it lives."""
        return "" if self._end is None else self._end.why

    def call(
        self,
        request: Request,
        hear: Callable[[Heard], None],
        cancel: Cancel,
        source: Source | None = None,
    ) -> Any:
        """Run one request to its end; see `Link.call`. `source`: what a Put is about."""
        call = self._began(lambda stream: self._in_flight(stream, request, source), request)
        try:
            self._outbox.tell(Kind.CALL, call.stream, pack(request))
            return call.wait(hear, cancel)
        except OSError as error:
            raise self._deafness() from error
        except ProtocolError as error:
            raise self._loss(f"broke the protocol: {error}") from error
        finally:
            self._leave(call)

    def carry(self, request: Carry, connect: Callable[[str], socket.socket], stop: Stop) -> None:
        """Carry the bytes of a connection until it ends; see `Carried.carry`."""
        from runner.connect.carried import Carried

        call = self._began(lambda stream: Carried(stream, request, self._outbox), request)
        try:
            self._outbox.tell(Kind.CALL, call.stream, pack(request))
            call.carry(connect, stop)
        except OSError as error:
            raise self._deafness() from error
        except ProtocolError as error:
            raise self._loss(f"broke the protocol: {error}") from error
        finally:
            self._leave(call)

    def wait(self) -> str:
        """Wait until it is lost, and say why."""
        self._over.wait()
        return self.lost

    def lose(self, cause: str) -> None:
        """End the conversation, once; every call under way is told why."""
        with self._lock:
            first, self._ending = not self._ending, True
        if not first:
            self._over.wait(_LAST_WORDS_WITHIN)
            return
        how, _, said = self._port.last_words().partition("\n")
        with self._lock:
            self._end = Lost(f"{self._name} {cause}" + (f": {how}" if how else ""), said)
            calls = tuple(self._calls.values())
        for call in calls:
            call.bring(self._end)
        self._ears.close()
        self._over.set()

    def join(self, seconds: float) -> None:
        """Wait, once it is lost, until nobody uses the port any more."""
        for thread in self._threads:
            thread.join(seconds)
        self._ears.join(seconds)

    def _loss(self, cause: str) -> LabError:
        self.lose(cause)
        return self._end.error() if self._end else LabError(f"{self._name} {cause}")

    def _deafness(self) -> LabError:
        self._lose_the_deaf()
        return self._loss("died")

    def _lose_the_deaf(self) -> None:
        """End the conversation with an agent to which nothing can be written, once all that it said is read.

        Whoever reads comes to the end, too, and says there what the last words were.
        """
        self._over.wait(_LAST_WORDS_WITHIN)
        self.lose("died")

    def _greet(self, sources: Mapping[str, tuple[str, str]]) -> None:
        hello = {"protocol": PROTOCOL, "patience": self._patience, **vars(self._cache)}
        try:
            if sources and self._cache.cache:
                self._push_by_name(sources)
            elif sources:
                self._push(pack_sources(sources))
            self._outbox.say(Kind.HELLO, CONNECTION, to_json(hello))
        except OSError:
            self._lose_the_deaf()

    def _push(self, payload: bytes) -> None:
        self._outbox.tell(Kind.PUSH, next(self._numbers), payload)

    def _push_by_name(self, sources: Mapping[str, tuple[str, str]]) -> None:
        """Name the code, and send it only if the agent's cache does not have it."""
        self._bundle = pack_sources(dict(sorted(sources.items())))
        self._push(pack_sources({BUNDLE: sources[BUNDLE]}))
        self._push(to_json([hashlib.sha256(self._bundle).hexdigest(), self._cache.cache]))

    def _push_bundle(self) -> None:
        try:
            self._push(self._bundle)
        except OSError:
            self._lose_the_deaf()

    def _in_flight(self, stream: int, request: Request, source: Source | None) -> InFlight:
        upload = None if source is None else Upload(source, stream, self._outbox)
        return InFlight(stream, request, self._outbox, upload)

    def _began(self, begin: Callable[[int], _Call], request: Request) -> _Call:
        self._busy.learn(request)
        self._busy.refuse(request)
        with self._lock:
            if self._end:
                raise self._end.error()
            call = begin(next(self._numbers))
            self._calls[call.stream] = call
        return call

    def _leave(self, call: InFlight) -> None:
        """Give up a call that has not ended; what it uses stays busy until it has."""
        with self._lock:
            if self._calls.pop(call.stream, None) is None or self._ending:
                return
            self._busy.hold(call.stream, call.request, call.description)
        call.cancel("nobody waits for it any more")

    def _keep_alive(self) -> None:
        try:
            while not self._over.wait(min(self._patience / 6, self._silence / 2)):
                self._outbox.say(Kind.PING, CONNECTION)
        except OSError:
            self._lose_the_deaf()

    def _read(self) -> None:
        try:
            cause = self._read_to_the_end()
        except ProtocolError as error:
            cause = f"broke the protocol: {error}"
        except OSError as error:
            cause = f"cannot be heard: {error}"
        self.lose(cause)

    def _read_to_the_end(self) -> str:
        frames, messages = FrameReader(), MessageReader()
        heard = time.monotonic()
        while True:
            data = self._port.read(_READ, max(0.0, heard + self._silence - time.monotonic()))
            if data is None:
                return f"gave no sign of life for {self._silence:g}s"
            if not data:
                return "died"
            heard = time.monotonic()
            for frame in frames.feed(data):
                message = messages.take(frame)
                if message is not None:
                    self._route(message)

    def _route(self, message: Message) -> None:
        if not self._greeted:
            self._check_hello(message)
        elif message.stream >= FIRST_CONSOLE:
            self._ears.take(message)
        elif message.stream == CONNECTION:
            self._hear(message)
        elif message.kind in {Kind.RESULT, Kind.ERROR}:
            self._ended(message)
        else:
            call = self._calls.get(message.stream)
            if call is not None:
                call.bring(message)
            elif not self._busy.holds(message.stream):
                raise ProtocolError(f"{message.kind.name} for the unknown call {message.stream}")

    def _hear(self, message: Message) -> None:
        """Take what belongs to no call."""
        if message.payload == WANTED:
            name = f"{self._name} code"
            threading.Thread(target=self._push_bundle, name=name, daemon=True).start()
        elif message.kind is Kind.EVENT:
            self._heard(unpack_heard(message.payload))
        elif message.kind is not Kind.PONG:
            raise ProtocolError(message.payload.decode("utf-8", "replace") or message.kind.name)

    def _check_hello(self, message: Message) -> None:
        hello = from_json(message.payload) if message.kind is Kind.HELLO else None
        if not isinstance(hello, dict) or hello.get("protocol") != PROTOCOL:
            raise ProtocolError(f"expected HELLO of protocol {PROTOCOL}, got {message.payload[:80]!r}")
        self._greeted = True

    def _ended(self, message: Message) -> None:
        """Bring an answer, behind the console bytes that came before it."""
        with self._lock:
            call = self._calls.pop(message.stream, None)
            self._busy.free(message.stream)
        if call is not None:
            self._ears.afterwards(lambda: call.bring(message))

    def _broken(self, error: Exception) -> None:
        if isinstance(error, ProtocolError):
            self.lose(f"broke the protocol: {error}")
            return
        self.lose(f"is of no use: {type(error).__name__} in a listener of its consoles: {error}")
