"""Sends messages of many threads over one port: control before consoles before bulk."""

from __future__ import annotations

import enum
import threading
from collections import deque
from collections.abc import Callable

from runner.agent.frames import LARGEST_PAYLOAD, Kind, frame, frames


class Rank(enum.IntEnum):
    """Who goes first when several want to send."""

    CONTROL = 0
    CONSOLE = 1
    BULK = 2


class Turns:
    """A lock that is handed to the waiting thread of the best rank, oldest first."""

    def __init__(self) -> None:
        """Belong to nobody."""
        self._guard = threading.Lock()
        self._held = False
        self._waiting: tuple[deque[threading.Lock], ...] = tuple(deque() for _ in Rank)

    def acquire(self, rank: Rank) -> None:
        """Wait for the turn."""
        with self._guard:
            if not self._held:
                self._held = True
                return
            ticket = threading.Lock()
            ticket.acquire()
            self._waiting[rank].append(ticket)
        ticket.acquire()

    def release(self) -> None:
        """Hand the turn on."""
        with self._guard:
            for tickets in self._waiting:
                if tickets:
                    tickets.popleft().release()
                    return
            self._held = False


class Outbox:
    """Writes whole frames; a thread that sends waits until its frames are written.

    So what has not been written never piles up, and between two frames of something
    long anything more urgent goes first.
    """

    def __init__(self, write: Callable[[bytes], None]) -> None:
        """Send through `write`, which takes all it is given and raises OSError when nobody reads."""
        self._write = write
        self._turns = Turns()

    def say(self, kind: Kind, stream: int, payload: bytes = b"", rank: Rank = Rank.CONTROL) -> None:
        """Send a message of one frame."""
        self._send(frame(kind, stream, payload), rank)

    def tell(self, kind: Kind, stream: int, payload: bytes) -> None:
        """Send a message of any size, and its END; a long one waits behind everything else."""
        if len(payload) <= LARGEST_PAYLOAD:
            self._send(frame(kind, stream, payload) + frame(Kind.END, stream), Rank.CONTROL)
            return
        for piece in frames(kind, stream, payload):
            self._send(piece, Rank.BULK)
        self._send(frame(Kind.END, stream), Rank.BULK)

    def _send(self, data: bytes, rank: Rank) -> None:
        self._turns.acquire(rank)
        try:
            self._write(data)
        finally:
            self._turns.release()
