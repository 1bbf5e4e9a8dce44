"""Sends a file on the stream of a call, no faster than the agent gives credit, and behind all else."""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from runner.agent import bulk
from runner.agent.calls import Advanced, Heard
from runner.agent.context import PROGRESS_EVERY
from runner.agent.credit import Credit, amount_of
from runner.agent.frames import Kind, ProtocolError
from runner.agent.messages import Message, from_json
from runner.agent.outbox import Outbox, Rank
from runner.agent.wording import pack_cancel, unpack_heard
from runner.connect.source import Source, digest_of_start, extents

_PILED_UP = 0.015
"""Seconds more than the fastest needed, from which on something waits on the way."""


class _UnreadableError(Exception):
    """The file cannot be read to its end."""


class Flight:
    """How much may be under way: more while all arrives as soon as the first did, less when it piles up.

    So a key typed on a console waits for 15 ms at most where the way is slow, and a fast way is full.

    >>> flight = Flight()
    >>> flight.began(100_000, 0.0), flight.landed(100_000, 0.001)
    (None, 150000)
    >>> flight.began(100_000, 0.0), flight.landed(100_000, 0.3)
    (None, 50000)
    """

    def __init__(self) -> None:
        """Begin with little."""
        self._limit = bulk.LEAST_UNDER_WAY
        self._fastest = math.inf
        self._began: deque[tuple[int, float]] = deque()
        self._sent = self._landed = 0

    def began(self, amount: int, now: float) -> None:
        """Note when so many bytes were sent; called by the thread that sends."""
        self._sent += amount
        self._began.append((self._sent, now))

    def landed(self, amount: int, now: float) -> int:
        """Return how much more may be sent now that so much has arrived; called by the thread that reads."""
        self._landed += amount
        began = now
        while self._began and self._began[0][0] <= self._landed:
            began = self._began.popleft()[1]
        taken = now - began
        self._fastest = min(self._fastest, taken)
        more = 0
        if taken > self._fastest + _PILED_UP:
            more = -min(amount // 2, self._limit - bulk.LEAST_UNDER_WAY)
        elif taken < self._fastest + _PILED_UP / 2:
            more = min(amount // 2, bulk.MOST_UNDER_WAY - self._limit)
        self._limit += more
        return amount + more


class Upload:
    """One file, sent by a thread of its own once the agent has said from where on."""

    def __init__(self, source: Source, stream: int, outbox: Outbox) -> None:
        """Wait for the agent's word."""
        self._source = source
        self._stream = stream
        self._outbox = outbox
        self._flight = Flight()
        self._credit = Credit(bulk.LEAST_UNDER_WAY)
        self._thread: threading.Thread | None = None
        self._wanted: tuple[int, str] | None = None
        self._place = 0
        self._told = 0.0

    def granted(self, payload: bytes) -> bool:
        """Take credit; tell whether it is time to say how far we are."""
        now = time.monotonic()
        self._credit.grant(self._flight.landed(amount_of(payload), now))
        due = now - self._told >= PROGRESS_EVERY
        self._told = now if due else self._told
        return due

    def take(self, message: Message) -> Heard | None:
        """Take a message on the stream; return what is to be heard of it."""
        if message.kind is Kind.CREDIT:
            return Advanced(done=self._place, total=self._source.size)
        told = from_json(message.payload)
        if not isinstance(told, dict) or "Wanted" not in told:
            return unpack_heard(message.payload)
        try:
            self._wanted = int(told["Wanted"]["start"]), str(told["Wanted"]["sha256"])
        except (TypeError, KeyError, ValueError) as error:
            raise ProtocolError(f"expected what is wanted, got {message.payload[:80]!r}") from error
        return Advanced(done=0, total=self._source.size)

    def begin(self) -> None:
        """Send, if anything is wanted that is not being sent."""
        if self._wanted is not None and self._thread is None:
            thread = threading.Thread(target=self._send, args=self._wanted, name="upload", daemon=True)
            self._thread = thread
            thread.start()

    def close(self) -> None:
        """Send nothing more."""
        self._credit.close()
        if self._thread is not None:
            self._thread.join()

    def _send(self, start: int, sha256: str) -> None:
        try:
            for payload in self._payloads(start, sha256):
                if not self._credit.spend(len(payload)):
                    return
                self._flight.began(len(payload), time.monotonic())
                self._outbox.say(Kind.DATA, self._stream, payload, Rank.BULK)
        except _UnreadableError as error:
            self._give_up(str(error))
        except OSError:
            return  # whoever reads for the connection says how it was lost

    def _give_up(self, cause: str) -> None:
        with contextlib.suppress(OSError):  # the agent has gone, too
            self._outbox.say(Kind.CANCEL, self._stream, pack_cancel(cause, timed_out=False))

    def _payloads(self, start: int, sha256: str) -> Iterator[bytes]:
        """Return the rest of the file; all of it when what the agent has is not its beginning."""
        try:
            with Path(self._source.path).open("rb", buffering=0) as file:
                yield from self._content(file.fileno(), start, sha256)
        except OSError as error:
            raise _UnreadableError(f"cannot read {self._source.path!r}: {error.strerror}") from error

    def _content(self, descriptor: int, start: int, sha256: str) -> Iterator[bytes]:
        self._place = start if start and digest_of_start(descriptor, start) == sha256 else 0
        yield bulk.begin(self._place)
        for begin, end in extents(descriptor, self._place, self._source.size):
            if begin > self._place:
                yield bulk.hole(begin - self._place)
            self._place = begin
            while self._place < end and (block := self._read(descriptor, end)):
                yield from bulk.pack(block)
                self._place += len(block)
        if self._place < self._source.size:
            yield bulk.hole(self._source.size - self._place)
        yield bulk.END

    def _read(self, descriptor: int, end: int) -> bytes:
        return os.pread(descriptor, min(bulk.BLOCK, end - self._place), self._place)
