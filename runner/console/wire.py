"""The bytes of a console as they come, while a protocol has it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from runner.api import Cancelled, Context
from runner.console.xmodem import ABORT, Conversation

if TYPE_CHECKING:
    from runner.console.live import Live

_LONGEST_END = 256
"""What comes behind a protocol is not longer, in bytes."""
_LONGEST_SETTLING = 0.1
_DEAF = 0.15
"""Seconds: U-Boot does not listen for 100 ms while it changes its speed (cmd/load.c)."""
_KNOCK_AGAIN = 0.5
_ABANDON_AGAIN = 1.0
_ABANDON = 4.0
"""Seconds: a receiver takes no word in the middle of a block, and some empty their queues first."""


class Wire:
    """Reads and writes bytes in order; what is never read stays for those who look at text.

    What `ends` finds comes from somebody else than the protocol: it and all behind it is not read.
    """

    def __init__(self, live: Live, context: Context, ends: re.Pattern[bytes] | None = None) -> None:
        """Begin with what comes next."""
        self._live = live
        self._context = context
        self._ends = ends
        self._latest = b""
        self._unread = bytearray()
        self._behind: bytearray | None = None
        self._unanswered: bytearray | None = bytearray()
        """All that came, as long as nothing has been sent: that was no conversation."""
        self.heard = 0
        """How many bytes have come that are no text yet."""

    def begin(self, known: bytes) -> None:
        """Begin with these bytes, which have been text already."""
        self.hear(known)
        self.heard = 0

    @property
    def ended(self) -> bool:
        """Whether what comes behind the protocol is there."""
        return self._behind is not None

    @property
    def behind(self) -> bytes:
        """What `ends` has found, and all that came after it."""
        return bytes(self._behind or b"")

    @property
    def left(self) -> bytes:
        """What came and is no part of a conversation, without what has been text already."""
        left = self._unanswered if self._unanswered is not None else self._unread + (self._behind or b"")
        return bytes(left[max(len(left) - self.heard, 0) :])

    @property
    def more(self) -> bool:
        """Whether something can be read at once."""
        return bool(self._unread)

    def hear(self, data: bytes) -> None:
        """Take what has come; called with the source's lock held."""
        self.heard += len(data)
        if self._unanswered is not None:
            self._unanswered += data
        if self._behind is not None:
            self._behind += data
            return
        self._unread += data
        if self._ends is None:
            return
        self._latest = self._latest[-_LONGEST_END:] + data
        found = self._ends.search(self._latest)
        if found:
            self._behind = bytearray(self._latest[found.start() :])
            del self._unread[max(len(self._unread) - len(self._behind), 0) :]

    def read(self, count: int, timeout: float) -> bytes:
        """Wait up to `timeout` seconds for `count` bytes; return what there is of them then.

        Raise LabError when the port is gone.
        """
        source = self._live.source
        until = source.clock() + timeout
        take_back = self._context.on_cancel(source.wake)
        try:
            with source.lock:
                while len(self._unread) < count and not self.ended and (left := until - source.clock()) > 0:
                    self._context.check_cancelled()
                    self._live.check_present()
                    source.wait(left)
                return self._take(count)
        finally:
            take_back()

    def ends(self, limit: float) -> bool:
        """Wait for the end, also when the step has been cancelled; tell whether it came."""
        self._wait(lambda: self.ended, limit)
        return self.ended

    def settle(self, seconds: float) -> None:
        """Wait until nothing has come for so long, or something else than the protocol has; not for ever."""
        last = self._live.clock() + _LONGEST_SETTLING
        known = -1
        while known != self.heard and self._live.clock() < last:
            known = self.heard
            self._wait_for_more(known, seconds)

    def comes(self, *texts: bytes, limit: float) -> bytes:
        """Wait for one of these texts, without reading it; return the one that came, empty for none."""

        def come() -> bytes:
            return next((text for text in texts if text in self._unread), b"")

        return come() if self._wait(lambda: bool(come()), limit) else b""

    def knock(self, word: bytes, answer: bytes = b"", *, limit: float) -> bool:
        """Send a word, also when the step has been cancelled, until a text comes or the other side has ended.

        Tell whether it does. The answer is not read; without one it is the end that is waited for.
        """

        def come() -> bool:
            return bool(answer) and answer in self._unread

        until = self._live.clock() + limit
        while not self._wait(come, _DEAF) and not self.ended:
            if self._live.clock() >= until:
                return False
            self._live.type(word)
            self._wait(come, _KNOCK_AGAIN)
        return True

    def write(self, data: bytes) -> None:
        """Send bytes at the pace that this console bears."""
        with self._live.source.lock:
            self._unanswered = None
        self._live.send(data, self._context)

    def abandon(self, data: bytes) -> None:
        """Send a last word, also when the step has been cancelled, until the other side has ended."""
        until = self._live.clock() + (_ABANDON if self._ends else 0.0)
        while not (self.ended or self._live.source.gone):
            self._live.type(data)
            self._wait(lambda: self.ended, min(_ABANDON_AGAIN, until - self._live.clock()))
            if self._live.clock() >= until:
                return

    def _wait_for_more(self, known: int, seconds: float) -> None:
        self._wait(lambda: self.heard != known, seconds)

    def _wait(self, come: Callable[[], bool], seconds: float) -> bool:
        """Wait so long at most, whatever the step's state; tell whether it has come."""
        source = self._live.source
        with source.lock:
            until = source.clock() + seconds
            while not (come() or self.ended or source.gone) and (left := until - source.clock()) > 0:
                source.wait(left)
            return come()

    def _take(self, count: int) -> bytes:
        data = bytes(self._unread[:count])
        del self._unread[:count]
        return data


def hold(conversation: Conversation, wire: Wire, moved: Callable[[], None]) -> None:
    """Hold a conversation to its end, good or bad; `moved` is called after each turn."""
    try:
        if opening := conversation.opening():
            wire.write(opening)
        while not (conversation.done or conversation.problem):
            reply = _turn(conversation, wire)
            if reply == ABORT:
                wire.abandon(ABORT)
            elif reply and not wire.ended:
                wire.write(reply)
            moved()
    except Cancelled:
        wire.abandon(ABORT)
        raise


def _turn(conversation: Conversation, wire: Wire) -> bytes:
    """Let it hear what comes next, or that nothing does."""
    data = wire.read(conversation.wants, conversation.patience)
    if wire.ended and len(data) < conversation.wants:
        conversation.over()
        return b""
    if data and not wire.more:
        wire.settle(conversation.turn)
    return conversation.heard(data, more=wire.more) if data else conversation.silent()
