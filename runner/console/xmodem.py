"""XMODEM, XMODEM-CRC, XMODEM-1K and YMODEM as functions of bytes.

Chuck Forsberg, "XMODEM/YMODEM Protocol Reference" (October 1988): blocks in chapter 7, the
header block of YMODEM in chapter 5, the use of CRC-16 and 1024-byte blocks in chapter 8. What
real receivers do besides is from their sources: U-Boot's common/xyzModem.c (C refuses a block as
NAK does; no C after YMODEM's header; two ACKs for EOT) and lrzsz's src/lrz.c and rbsb.c (a pseudo
terminal loses the last ACK, because its queues are emptied at the end).
Nothing here waits: who holds the wire reads `wants` bytes for `patience` seconds and hands on
what came, or that nothing did, or that the program at the other end has ended.
"""

from __future__ import annotations

import binascii
from typing import Protocol

SOH, STX, EOT, ACK, NAK, CAN, SUB = 0x01, 0x02, 0x04, 0x06, 0x15, 0x18, 0x1A
CRC = 0x43
"""The letter C: the receiver wants CRC-16 instead of sums."""
SMALL, LARGE = 128, 1024
_TRIES = 10
_PATIENCE = 10.0
_SENDER_PATIENCE = 60.0
"""The receiver asks again after ten seconds; a sender that is as impatient sends a block twice."""
_TOO_LARGE = 3
"""Refusals in a row; once could be an acknowledgement that got lost, and then the size must stay."""
_START_PATIENCE = 3.0
_START_TRIES = 20
_ASKED_PATIENCE = 0.5
_ASKED_TRIES = 120
"""The sender waits a minute; a C behind half a second of silence is no letter of a text."""
_NEXT = 0.3
"""Seconds for the C behind YMODEM's header, which not every receiver sends; some give up soon."""
_CROSSING = 0.5
"""Seconds for a second acknowledgement; less than a receiver's patience, which is 2 s in U-Boot."""
_TURN = 0.003
"""Receivers empty their queue right after they have answered (lrzsz, `purgeline`): not a byte too early."""
ABORT = bytes([CAN, CAN, CAN, CAN, CAN, 8, 8, 8, 8, 8])
"""Ends a transfer; the backspaces take the rest off a command line."""


class Conversation(Protocol):
    """One side of a transfer."""

    wants: int
    """How many bytes it can use now."""
    patience: float
    """How many seconds it waits for them."""
    turn: float
    """How many seconds the line is silent before it answers."""
    done: bool
    problem: str
    """Why it has given up; empty when it has not."""
    repeated: int
    """Blocks that were sent again."""

    @property
    def moved(self) -> int:
        """Bytes of the content that have arrived."""

    def opening(self) -> bytes:
        """Return what is sent at first."""

    def heard(self, data: bytes, *, more: bool = False) -> bytes:
        """Take what came, up to `wants` bytes; return what is sent then. `more`: more has come."""

    def silent(self) -> bytes:
        """Take note that nothing came in time; return what is sent then."""

    def over(self) -> None:
        """Take note that the program at the other end has ended."""


def block(number: int, content: bytes, *, crc: bool) -> bytes:
    r"""Return a block: its kind, its number twice, its content, and a check.

    >>> block(1, b"A" * 128, crc=False)[:3], block(1, b"A" * 128, crc=False)[-1]
    (b'\x01\x01\xfe', 128)
    """
    kind = SOH if len(content) == SMALL else STX
    return bytes([kind, number & 0xFF, ~number & 0xFF]) + content + check(content, crc=crc)


def check(content: bytes, *, crc: bool) -> bytes:
    """Return the CRC-16 (polynomial 0x1021, most significant bit first), or the sum of the bytes.

    >>> check(b"123456789", crc=True).hex()
    '31c3'
    """
    if crc:
        return binascii.crc_hqx(content, 0).to_bytes(2, "big")
    return bytes([sum(content) & 0xFF])


class Sender:
    """Sends a content, in blocks of 1024 bytes where `large`; with `name`, by YMODEM.

    A large block that is refused again and again is sent in small ones: not every line and not
    every receiver bears so much at once.
    """

    def __init__(self, content: bytes, *, large: bool = False, name: str = "") -> None:
        """Wait for the receiver."""
        self._content = content
        self._large = large or bool(name)
        self._header = _header(name, len(content)) if name else b""
        self._state = "wait for header" if name else "wait for data"
        self._crc = False
        self._number = 1
        self._at = 0
        self._size = 0
        self._last = b""
        self._cancels = 0
        self._tries = 0
        self._refusals = 0
        self._in_text = False
        self._crossed = False
        """Whether what was sent again may have been taken both times."""
        self._owed = False
        """Whether a second acknowledgement may follow."""
        self._request = 0
        """What the receiver has asked for last: CRC or NAK."""
        self.wants = 1
        self.patience = _ASKED_PATIENCE
        self.turn = _TURN
        self.done = False
        self.problem = ""
        self.moved = 0
        self.repeated = 0

    def opening(self) -> bytes:
        """Say nothing: the receiver begins."""
        return b""

    def heard(self, data: bytes, *, more: bool = False) -> bytes:
        """Take the next byte of the receiver."""
        byte = data[0]
        self._cancels = self._cancels + 1 if byte == CAN else 0
        if self._cancels == 2:
            self.problem = "the other side has cancelled"
            return b""
        if self._state.startswith("wait"):
            return self._asked(byte, more=more)
        if byte not in (ACK, CRC, NAK):
            return b""
        if self._owed:
            return self._acknowledged()
        if byte != ACK:
            return self._refused(byte)
        if not self._crossed:
            return self._acknowledged()
        self._crossed, self._owed, self.patience = False, True, _CROSSING
        return b""

    def silent(self) -> bytes:
        """Send the last thing again; while the receiver has to ask, wait on."""
        if self._owed:
            return self._acknowledged()
        if not self._state.startswith("wait"):
            return self._again("not answered")
        if self._state == "wait for data" and self._header:
            self._request = CRC if self._crc else NAK
            return self._begin()
        self._in_text = False
        self._tries += 1
        if self._state == "wait for end":
            self.done = True  # it has acknowledged all, and asks for no other file
        elif self._tries > _ASKED_TRIES:
            self.problem = "the other side does not begin"
            return ABORT
        return b""

    def over(self) -> None:
        """Take it as the end when all has been acknowledged."""
        if self._state in ("end", "wait for end", "last header"):
            self.done = True
        else:
            self.problem = "the program at the other end has ended before the transfer"

    def _asked(self, byte: int, *, more: bool) -> bytes:
        """Go on at the last C or NAK of those that wait, if it is not a letter of some text."""
        if byte in (CRC, NAK) and not self._in_text:
            self._request = byte
        else:
            self._in_text = 32 <= byte < 127
        return b"" if more or not self._request else self._begin()

    def _begin(self) -> bytes:
        """Send what the receiver has asked for."""
        self._crc = self._request == CRC
        self._tries = 0
        if self._state == "wait for data":
            return self._send_block()
        if self._state == "wait for header":
            return self._send("header", block(0, self._header, crc=self._crc))
        return self._send("last header", block(0, bytes(SMALL), crc=self._crc))

    def _refused(self, byte: int) -> bytes:
        """Send the last thing again; a request may have crossed it, and then both are acknowledged."""
        self._refusals += 1
        first = self._state in ("header", "last header") or (self._state == "block" and self._at == 0)
        self._crossed = first and byte == self._request
        return self._again("refused")

    def _acknowledged(self) -> bytes:
        self._tries = self._refusals = 0
        self._crossed = self._owed = False
        if self._state == "header":
            return self._wait("wait for data", _NEXT)
        if self._state == "block":
            self._number += 1
            self._at += self._size
            self.moved = min(self._at, len(self._content))
            return self._send_block()
        if self._state == "end" and self._header:
            return self._wait("wait for end", _START_PATIENCE)
        self.done = True
        return b""

    def _send_block(self) -> bytes:
        left = len(self._content) - self._at
        if left <= 0:
            return self._send("end", bytes([EOT]))
        self._size = LARGE if self._large and left > LARGE - SMALL else SMALL
        content = self._content[self._at : self._at + self._size].ljust(self._size, bytes([SUB]))
        return self._send("block", block(self._number, content, crc=self._crc))

    def _send(self, state: str, data: bytes) -> bytes:
        self._state, self.patience, self._last = state, _SENDER_PATIENCE, data
        return data

    def _wait(self, state: str, patience: float) -> bytes:
        self._state, self.patience, self._in_text, self._request = state, patience, False, 0
        return b""

    def _again(self, why: str) -> bytes:
        self._tries += 1
        self.patience = _SENDER_PATIENCE
        if self._tries >= _TRIES:
            self.problem = f"the same block was {why} {_TRIES} times"
            return ABORT
        self.repeated += self._state == "block"
        if self._state == "block" and self._size == LARGE and self._refusals >= _TOO_LARGE:
            self._large = False
            return self._send_block()
        return self._last


def _header(name: str, size: int) -> bytes:
    """Return the content of YMODEM's block 0: name, NUL, size in decimal."""
    content = name.encode() + b"\0" + str(size).encode()
    return content.ljust(SMALL if len(content) <= SMALL else LARGE, b"\0")


class Receiver:
    """Receives a content by XMODEM with CRC-16, from senders of 128 or 1024 bytes."""

    def __init__(self) -> None:
        """Ask for the first block."""
        self._content = bytearray()
        self._number = 1
        self._kind = 0
        self._cancels = 0
        self._tries = 0
        self.wants = 1
        self.patience = _START_PATIENCE
        self.turn = 0.0
        self.done = False
        self.problem = ""
        self.repeated = 0

    @property
    def moved(self) -> int:
        """Bytes of the content that have arrived."""
        return len(self._content)

    @property
    def content(self) -> bytes:
        """What has arrived; its end is filled up to a whole block."""
        return bytes(self._content)

    def opening(self) -> bytes:
        """Ask for blocks with CRC-16."""
        return bytes([CRC])

    def heard(self, data: bytes, *, more: bool = False) -> bytes:
        """Take the first byte of a block, or the rest of it."""
        del more
        if self._kind:
            return self._rest(data)
        byte = data[0]
        self._cancels = self._cancels + 1 if byte == CAN else 0
        if self._cancels == 2:
            self.problem = "the other side has cancelled"
        elif byte in (SOH, STX):
            self._kind = byte
            self.wants = 4 + (SMALL if byte == SOH else LARGE)
            self.patience = 1.0
        elif byte == EOT:
            self.done = True
            return bytes([ACK])
        return b""

    def silent(self) -> bytes:
        """Ask again."""
        self._next()
        self._tries += 1
        if not self._content and self._number == 1:
            if self._tries > _START_TRIES:
                self.problem = "the other side does not begin"
                return ABORT
            return bytes([CRC])
        return self._refuse()

    def over(self) -> None:
        """Take it as a failure: the end is told by EOT."""
        self.problem = "the program at the other end has ended before the transfer"

    def _rest(self, data: bytes) -> bytes:
        whole, number = len(data) == self.wants, data[0]
        self._next()
        content, told = data[2:-2], data[-2:]
        good = whole and data[1] == ~number & 0xFF and told == check(content, crc=True)
        if not good:
            self._tries += 1
            return self._refuse()
        self._tries = 0
        if number == (self._number - 1) & 0xFF:
            self.repeated += 1
            return bytes([ACK])
        if number != self._number & 0xFF:
            self.problem = f"block {number} came, block {self._number & 0xFF} was expected"
            return ABORT
        self._content += content
        self._number += 1
        return bytes([ACK])

    def _next(self) -> None:
        self._kind, self.wants, self.patience = 0, 1, _PATIENCE if self._content else _START_PATIENCE

    def _refuse(self) -> bytes:
        if self._tries >= _TRIES:
            self.problem = f"the same block was damaged or missing {_TRIES} times"
            return ABORT
        return bytes([NAK])
