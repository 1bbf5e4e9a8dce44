"""The two ends of a TFTP transfer: which packets are due, and what was acknowledged. No port, no clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from runner.modules.servers import tftp_packets as packets

Read = Callable[[int], bytes]
"""Gives up to so many bytes of the content; fewer only at its end."""


class Sending:
    """The end that sends DATA, in windows (RFC 7440) of one block where nothing else was agreed.

    A duplicate of an ACK never makes it send DATA again with a window of one: that is the
    Sorcerer's Apprentice (RFC 1123, 4.2.3.1).
    """

    def __init__(self, read: Read, block_size: int, window: int) -> None:
        """Take the content; nothing is read yet."""
        self._read = read
        self._block_size = block_size
        self._window = window
        self._pending: deque[bytes] = deque()
        self._all_read = False
        self._sent = 0
        self._repeated = False
        self.acknowledged = 0
        """The last block that has arrived, counted from 1 without end."""
        self.bytes = 0
        """How many bytes have arrived."""
        self.resent = 0

    @property
    def finished(self) -> bool:
        """Whether everything has arrived."""
        return self._all_read and not self._pending

    def due(self) -> list[bytes]:
        """Return the packets that are to be sent now."""
        while len(self._pending) < self._window and not self._all_read:
            payload = self._read(self._block_size)
            self._pending.append(payload)
            self._all_read = len(payload) < self._block_size
        first = self._sent - self.acknowledged
        fresh = [
            packets.data(self.acknowledged + 1 + at, self._pending[at])
            for at in range(first, len(self._pending))
        ]
        self._sent = self.acknowledged + len(self._pending)
        return fresh

    def take(self, block: int) -> bool:
        """Take an ACK; tell whether there is something to do because of it."""
        arrived = (block - self.acknowledged) & 0xFFFF
        if arrived > self._sent - self.acknowledged:
            return False
        if arrived == 0:
            return self._first_was_lost()
        for _ in range(arrived):
            self.bytes += len(self._pending.popleft())
        self.acknowledged += arrived
        self._repeated = False
        self._go_back()
        return True

    def again(self) -> None:
        """Have the whole window sent again: nothing was heard of it."""
        self._go_back()

    def _first_was_lost(self) -> bool:
        """Go back when the first block of a window of several did not arrive; once for each window."""
        if self._window == 1 or self._repeated or self._sent == self.acknowledged:
            return False
        self._repeated = True
        self._go_back()
        return True

    def _go_back(self) -> None:
        self.resent += self._sent - self.acknowledged
        self._sent = self.acknowledged


class Receiving:
    """The end that receives DATA; `content` gets it in order."""

    def __init__(self, write: Callable[[bytes], object], block_size: int, window: int) -> None:
        """Give what arrives to `write`."""
        self._write = write
        self._block_size = block_size
        self._window = window
        self._since_ack = 0
        self._gap_told = False
        self.last = 0
        """The last block in order, counted from 1 without end."""
        self.bytes = 0
        self.finished = False

    def take(self, block: int, payload: bytes) -> bytes | None:
        """Take DATA; return the ACK that is due, if one is."""
        if (block - self.last) & 0xFFFF != 1 or self.finished:
            return self._out_of_order()
        self._write(payload)
        self.last += 1
        self.bytes += len(payload)
        self.finished = len(payload) < self._block_size
        self._since_ack += 1
        self._gap_told = False
        if self.finished or self._since_ack >= self._window:
            return self.ack()
        return None

    def ack(self) -> bytes:
        """Return the ACK of what has arrived so far."""
        self._since_ack = 0
        return packets.ack(self.last)

    def _out_of_order(self) -> bytes | None:
        """Say once what arrived last before a gap (RFC 7440, 4)."""
        if self._gap_told and self._window > 1:
            return None
        self._gap_told = True
        return self.ack()
