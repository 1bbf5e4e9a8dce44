"""How much raw data may be under way on one stream."""

from __future__ import annotations

import struct
import threading

from runner.agent.frames import ProtocolError

WINDOW = 256 * 1024
"""What may be under way at the start; also the memory that a stream may need where it is read."""
_AMOUNT = struct.Struct(">I")


class Credit:
    """The right to send so many bytes; spent by one thread, granted by another."""

    def __init__(self, window: int = WINDOW) -> None:
        """Start with a full window."""
        self._changed = threading.Condition()
        self._left = window
        self._closed = False

    def spend(self, amount: int) -> bool:
        """Wait until anything may be sent, then take `amount`, if need be in advance; False once closed."""
        with self._changed:
            while self._left <= 0 and not self._closed:
                self._changed.wait()
            self._left -= amount
            return not self._closed

    def grant(self, amount: int) -> None:
        """Let so much more be sent."""
        with self._changed:
            self._left += amount
            self._changed.notify_all()

    def close(self) -> None:
        """Let nothing more be sent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Debt:
    """The other end of a `Credit`: counts what was read until it is worth a CREDIT frame."""

    def __init__(self, window: int = WINDOW) -> None:
        """Owe nothing."""
        self._worth = window // 4
        self._owed = 0

    def read(self, amount: int) -> bytes:
        """Note that so much was read; return the payload of the CREDIT to send, or nothing."""
        self._owed += amount
        if self._owed < self._worth:
            return b""
        amount, self._owed = self._owed, 0
        return _AMOUNT.pack(amount)


def amount_of(payload: bytes) -> int:
    """Return what a CREDIT frame grants."""
    if len(payload) != _AMOUNT.size:
        raise ProtocolError(f"expected a CREDIT of 4 bytes, got {payload[:80]!r}")
    amount: int = _AMOUNT.unpack(payload)[0]
    return amount
