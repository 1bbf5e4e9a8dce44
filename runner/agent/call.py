"""One request while it is served."""

from __future__ import annotations

from collections.abc import Callable

from runner.agent.calls import Heard
from runner.agent.credit import Credit
from runner.agent.frames import LARGEST_PAYLOAD, Kind, ProtocolError
from runner.agent.messages import pack, to_json
from runner.agent.outbox import Outbox, Rank
from runner.agent.stop import Stop


class Call:
    """A stream of the controller's: what is said on it, and whether it has to stop."""

    def __init__(self, stream: int, outbox: Outbox) -> None:
        """Begin to serve a stream."""
        self.stream = stream
        self.stop = Stop()
        self._outbox = outbox
        self._credit: Credit | None = None
        self._taker: Callable[[bytes], None] | None = None

    def say(self, kind: Kind, payload: bytes) -> None:
        """Say something on its stream."""
        self._outbox.say(kind, self.stream, payload)

    def receive(self, take: Callable[[bytes], None]) -> None:
        """Have `take` called, at once and on another thread, with what is sent on this stream."""
        self._taker = take

    def take(self, payload: bytes) -> None:
        """Take what is sent; raise ProtocolError when nobody has asked for it."""
        if self._taker is None:
            raise ProtocolError(f"{len(payload)} bytes on stream {self.stream}, which wants none")
        self._taker(payload)

    def hear(self, heard: Heard) -> None:
        """Let the controller hear something."""
        self._outbox.say(Kind.EVENT, self.stream, pack(heard))

    def grant(self, amount: int) -> None:
        """Let so much more of a file be sent."""
        if self._credit is not None:
            self._credit.grant(amount)

    def save(self, name: str, data: bytes) -> None:
        """Send a file: its name and size, then raw bytes as fast as they are taken."""
        saved = {"Saved": {"name": name[:1024], "size": len(data)}}
        credit = self._credit = self._credit or Credit()
        leave = self.stop.watch(credit.close)
        try:
            self._outbox.say(Kind.EVENT, self.stream, to_json(saved))
            for start in range(0, len(data), LARGEST_PAYLOAD):
                part = data[start : start + LARGEST_PAYLOAD]
                if not credit.spend(len(part)):
                    raise self.stop.verdict()
                self._outbox.say(Kind.DATA, self.stream, part, Rank.BULK)
        finally:
            leave()
