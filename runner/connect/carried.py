"""A call whose stream carries the bytes of one connection."""

from __future__ import annotations

import socket
from collections.abc import Callable
from queue import SimpleQueue

from runner.agent.calls import Request
from runner.agent.carrier import Broken, Carrier
from runner.agent.credit import amount_of
from runner.agent.frames import Kind, ProtocolError
from runner.agent.messages import Message
from runner.agent.outbox import Outbox, Rank
from runner.agent.stop import Stop
from runner.agent.wording import unpack_connected, unpack_ended
from runner.api.verdicts import LabError
from runner.connect.ending import exception_of
from runner.connect.inflight import InFlight, Lost, Told


class Carried(InFlight):
    """Bytes are taken where they are read; everything else waits for the thread that carries."""

    def __init__(self, stream: int, request: Request, outbox: Outbox) -> None:
        """Get ready to carry."""
        super().__init__(stream, request, outbox)
        self._carrier = Carrier(self._say)
        self._told: SimpleQueue[Message | Told | Lost] = SimpleQueue()

    def bring(self, item: Message | Told | Lost) -> None:
        """Take what comes on the stream."""
        if isinstance(item, Message) and item.kind is Kind.DATA:
            self._carrier.take(item.payload)
        elif isinstance(item, Message) and item.kind is Kind.CREDIT:
            self._carrier.grant(amount_of(item.payload))
        else:
            self._told.put(item)
            if not isinstance(item, Message) or item.kind is Kind.ERROR:
                self._carrier.abort("it was given up")

    def carry(self, connect: Callable[[str], socket.socket], stop: Stop) -> None:
        """Carry between the stream and what `connect` returns, once the other end is connected.

        `connect` is given who is there. Raise the verdict of the agent, or LabError.
        """
        leave = stop.watch(lambda: self.bring(Told(stop.cause or "")))
        try:
            peer = unpack_connected(self._message(Kind.EVENT))
            self._carrier.run(connect(peer))
            self._message(Kind.RESULT)
        except Broken as error:
            if self._told.empty():
                raise LabError(f"the connection broke on this machine: {error}") from error
            self._message(Kind.RESULT)
        finally:
            leave()
            self._carrier.close()

    def _message(self, wanted: Kind) -> bytes:
        """Return the next message, which is to be of this kind; raise what it is instead."""
        item = self._told.get()
        if isinstance(item, Lost):
            raise item.error()
        if not isinstance(item, Message):
            raise LabError(str(item))
        if item.kind is Kind.ERROR:
            raise exception_of(unpack_ended(item.payload))
        if item.kind is not wanted:
            raise ProtocolError(f"{item.kind.name} in answer to {self.description}")
        return item.payload

    def _say(self, kind: Kind, payload: bytes) -> None:
        self._outbox.say(kind, self.stream, payload, Rank.BULK if kind is Kind.DATA else Rank.CONTROL)
