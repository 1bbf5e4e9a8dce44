"""The controller's half of forwards: who listens here, what is carried, and how all of it ends."""

from __future__ import annotations

import abc
import contextlib
import dataclasses
import itertools
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runner.agent.addresses import connected, listener, listens_at
from runner.agent.calls import Heard, Said
from runner.agent.forwarding import Accept, Carry, Connect, Forward, Listen, Unforward, Unlisten
from runner.agent.stop import Stop
from runner.api.address import names_device, read_address
from runner.api.verdicts import LabError, Verdict
from runner.connect.channel import Channel
from runner.connect.link import Cancel, Crash

AT_ONCE = 256
"""Connections that one forward carries at the same time; more of them wait to be accepted."""
_ENDS_WITHIN = 5.0
"""Seconds that connections get to be given up."""
_RESET = struct.pack("ii", 1, 0)
_Connect = Callable[[str], socket.socket]


class Forwards:
    """The forwards of one agent."""

    def __init__(self, channel: Channel, heard: Callable[[Heard], None]) -> None:
        """Have none yet; `heard` is told of connections that failed."""
        self._channel = channel
        self._heard = heard
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._open: dict[int, _Open] = {}

    def open(self, request: Forward, hear: Callable[[Heard], None], cancel: Cancel) -> dict[str, Any]:
        """Begin to listen; raise LabError or RecipeFault when that is impossible."""
        if request.reverse:
            made: _Open = _There(request, self._channel, self._heard, hear, cancel)
        else:
            to = request.to if names_device(request.to) else str(read_address(request.to))
            answer = self._channel.call(Connect(bench=request.bench, to=to, ask=True), hear, cancel)
            made = _Here(dataclasses.replace(request, to=answer["to"]), self._channel, self._heard)
        made.asked = request.to
        with self._lock:
            number = next(self._numbers)
            self._open[number] = made
        made.begin()
        return {"number": number, "address": made.address}

    def give_up(self, request: Unforward) -> None:
        """Give up the forward of this number, or those of a bench at this address; none is fine."""
        numbers = [request.number]
        if request.at:
            at = request.at if names_device(request.at) else str(read_address(request.at))
            with self._lock:
                numbers = [each for each, it in self._open.items() if it.concerns(request.bench, at)]
        for number in numbers:
            self.close(number)

    def close(self, number: int) -> None:
        """Give up a forward and what it carries; one that is gone is left alone."""
        with self._lock:
            found = self._open.pop(number, None)
        if found is not None:
            found.close()

    def close_all(self) -> None:
        """Give up all of them."""
        for number in tuple(self._open):
            self.close(number)


class _Open(abc.ABC):
    """One forward: a thread that listens, and one for each connection."""

    address: str
    asked: str = ""
    """Where it leads, as that was written: a device's name, too."""

    def __init__(self, request: Forward, channel: Channel, heard: Callable[[Heard], None]) -> None:
        self._bench = request.bench
        self._to = read_address(request.to)
        self._channel = channel
        self._heard = heard
        self._stop = Stop()
        self._room = threading.BoundedSemaphore(AT_ONCE)
        self._threads: set[threading.Thread] = set()
        self._listening = threading.Thread(target=self._listen, name="forward", daemon=True)

    def begin(self) -> None:
        """Accept connections from now on."""
        self._listening.start()

    def concerns(self, bench: str, at: str) -> bool:
        """Tell whether it is this bench's, and listens at an address, or leads to it or to a device."""
        return bench == self._bench and at in {str(read_address(self.address)), str(self._to), self.asked}

    def close(self) -> None:
        """Listen no more, and break off what is carried."""
        self._stop.tell("the forward was closed")
        self._close()
        for thread in (self._listening, *self._threads):
            thread.join(_ENDS_WITHIN)

    @abc.abstractmethod
    def _listen(self) -> None:
        """Accept connections to the end."""

    @abc.abstractmethod
    def _close(self) -> None:
        """Stop listening."""

    def _carry(self, request: Carry, connect: _Connect, end: Callable[[], None]) -> None:
        """Carry a connection on a thread of its own; `end` is called behind it, whatever happened."""

        def carry() -> None:
            try:
                self._channel.carry(request, connect, self._stop)
            except (Verdict, Crash) as error:
                self._say(error)
            finally:
                end()
                self._threads.discard(thread)
                self._room.release()

        thread = threading.Thread(target=carry, name=f"forward {self.address}", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _say(self, error: Verdict | Crash) -> None:
        if self._stop.cause is None:
            hint = f" ({error.hint})" if isinstance(error, Verdict) and error.hint else ""
            self._heard(Said(text=f"forward {self.address}: {error.message}{hint}", level="warning"))


class _Here(_Open):
    """Listens on this machine; the agent connects."""

    def __init__(self, request: Forward, channel: Channel, heard: Callable[[Heard], None]) -> None:
        super().__init__(request, channel, heard)
        asked = read_address(request.listen or "0", host="127.0.0.1")
        self._listener = listener(asked)
        self._at = listens_at(self._listener, asked)
        self.address = str(self._at)

    def _listen(self) -> None:
        while self._room.acquire():
            try:
                connection, _peer = self._listener.accept()
            except OSError as error:
                self._say(LabError(f"listens no more: {error.strerror}"))
                return
            self._begin(connection)

    def _begin(self, connection: socket.socket) -> None:
        request = Connect(bench=self._bench, to=str(self._to))
        self._carry(request, lambda _peer: connection, lambda: _reset(connection))

    def _close(self) -> None:
        with contextlib.suppress(OSError):  # nobody has connected yet
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._at.path:
            Path(self._at.path).unlink(missing_ok=True)


class _There(_Open):
    """Listens on the host; we connect."""

    def __init__(
        self,
        request: Forward,
        channel: Channel,
        heard: Callable[[Heard], None],
        hear: Callable[[Heard], None],
        cancel: Cancel,
    ) -> None:
        super().__init__(request, channel, heard)
        answer = channel.call(Listen(bench=self._bench, at=request.listen or "0"), hear, cancel)
        self._number = int(answer["number"])
        self.address = str(answer["address"])

    def _listen(self) -> None:
        while self._room.acquire() and self._stop.cause is None:
            if not self._one():
                return

    def _one(self) -> bool:
        """Wait for one connection; tell whether it came."""
        over = threading.Event()
        peers: list[str] = []

        def connect(peer: str) -> socket.socket:
            peers.append(peer)
            over.set()
            return connected(self._to)

        self._carry(Accept(bench=self._bench, number=self._number), connect, over.set)
        over.wait()
        return bool(peers)

    def _close(self) -> None:
        """Have the agent close its listener, unless it is gone."""
        if not self._channel.lost:
            with contextlib.suppress(LabError):  # it died in this very moment
                self._channel.call(Unlisten(bench=self._bench, number=self._number), _unheard, _Never())


class _Never:
    """A cancel that never comes."""

    cause = None

    def watch(self, wake: Callable[[str], None]) -> Callable[[], None]:
        """Keep nothing."""
        del wake
        return lambda: None


def _unheard(_heard: Heard) -> None:
    return


def _reset(connection: socket.socket) -> None:
    """Close a connection that nobody closed: who made it sees a reset, not an empty answer (socket(7))."""
    if connection.fileno() >= 0:
        with contextlib.suppress(OSError):  # a Unix socket knows no reset
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        connection.close()
