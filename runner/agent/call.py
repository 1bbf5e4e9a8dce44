"""One request while it is served."""

from __future__ import annotations

import threading

from runner.agent.calls import Heard
from runner.agent.credit import Credit
from runner.agent.frames import LARGEST_PAYLOAD, Kind
from runner.agent.messages import pack, to_json
from runner.agent.outbox import Outbox, Rank
from runner.agent.stop import Stop


class Call:
    """A stream of the controller's: what is said on it, and whether it has to stop."""

    def __init__(self, stream: int, outbox: Outbox) -> None:
        """Begin to serve a stream."""
        self.stream = stream
        self.stop = Stop()
        self.credit = Credit()
        self.over = threading.Event()
        """Set when the module has come to its end."""
        self._outbox = outbox

    def hear(self, heard: Heard) -> None:
        """Let the controller hear something."""
        self._outbox.say(Kind.EVENT, self.stream, pack(heard))

    def save(self, name: str, data: bytes) -> None:
        """Send a file: its name and size, then raw bytes as fast as they are taken."""
        saved = {"Saved": {"name": name[:1024], "size": len(data)}}
        leave = self.stop.watch(self.credit.close)
        try:
            self._outbox.say(Kind.EVENT, self.stream, to_json(saved))
            for start in range(0, len(data), LARGEST_PAYLOAD):
                part = data[start : start + LARGEST_PAYLOAD]
                if not self.credit.spend(len(part)):
                    raise self.stop.verdict()
                self._outbox.say(Kind.DATA, self.stream, part, Rank.BULK)
        finally:
            leave()
