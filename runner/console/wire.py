"""The bytes of a console as they come, while a protocol has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from runner.api import Cancelled, Context
from runner.console.xmodem import ABORT, Conversation

if TYPE_CHECKING:
    from runner.console.live import Live


class Wire:
    """Reads and writes bytes in order; what is never read stays for those who look at text."""

    def __init__(self, live: Live, context: Context) -> None:
        """Begin with what comes next."""
        self._live = live
        self._context = context
        self._heard = bytearray()
        self.taken = 0
        """How many bytes have been read."""

    @property
    def left(self) -> bytes:
        """What came and was not read."""
        return bytes(self._heard)

    def hear(self, data: bytes) -> None:
        """Take what has come; called with the source's lock held."""
        self._heard += data

    def read(self, count: int, timeout: float) -> bytes:
        """Wait up to `timeout` seconds for `count` bytes; return what there is of them then.

        Raise LabError when the port is gone.
        """
        source = self._live.source
        until = source.clock() + timeout
        take_back = self._context.on_cancel(source.wake)
        try:
            with source.lock:
                while len(self._heard) < count and (left := until - source.clock()) > 0:
                    self._context.check_cancelled()
                    self._live.check_present()
                    source.wait(left)
                return self._take(count)
        finally:
            take_back()

    def write(self, data: bytes) -> None:
        """Send bytes at the pace that this console bears."""
        self._live.send(data, self._context)

    def abort(self, data: bytes) -> None:
        """Send a last word, also when the step has been cancelled."""
        if not self._live.source.gone:
            self._live.type(data)

    def _take(self, count: int) -> bytes:
        data = bytes(self._heard[:count])
        del self._heard[:count]
        self.taken += len(data)
        return data


def hold(conversation: Conversation, wire: Wire, moved: Callable[[], None]) -> None:
    """Hold a conversation to its end, good or bad; `moved` is called after each turn."""
    try:
        if opening := conversation.opening():
            wire.write(opening)
        while not (conversation.done or conversation.problem):
            data = wire.read(conversation.wants, conversation.patience)
            reply = conversation.heard(data) if data else conversation.silent()
            if reply:
                wire.write(reply)
            moved()
    except Cancelled:
        wire.abort(ABORT)
        raise
