"""One request while it is served."""

from __future__ import annotations

import io
import os
import stat
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from runner.agent import wording
from runner.agent.bulk import BLOCK, pack
from runner.agent.calls import Heard, Saved, Saving
from runner.agent.credit import Credit
from runner.agent.frames import Kind, ProtocolError
from runner.agent.outbox import Outbox, Rank
from runner.agent.stop import Stop
from runner.api.context import Keep, Kept
from runner.api.verdicts import LabError

LAST_FILES = 4.0
"""Seconds for the files of a call that was told to stop: what is given up by its controller takes 5."""


class Call:
    """A stream of the controller's: what is said on it, and whether it has to stop."""

    def __init__(self, stream: int, outbox: Outbox) -> None:
        """Begin to serve a stream."""
        self.stream = stream
        self.stop = Stop()
        self._outbox = outbox
        self._credit: Credit | None = None
        self._last_files_until = 0.0
        self._taker: Callable[[bytes], None] | None = None
        self._granted: Callable[[int], None] | None = None
        self._ending = threading.Lock()
        self._ended = False

    def say(self, kind: Kind, payload: bytes) -> None:
        """Say something on its stream; raw bytes go behind everything else."""
        self._outbox.say(kind, self.stream, payload, Rank.BULK if kind is Kind.DATA else Rank.CONTROL)

    def receive(self, take: Callable[[bytes], None], granted: Callable[[int], None] | None = None) -> None:
        """Have `take` called, at once and on another thread, with what is sent on this stream.

        `granted` is called with what more may be sent on it the other way.
        """
        self._taker = take
        self._granted = granted

    def take(self, payload: bytes) -> None:
        """Take what is sent; raise ProtocolError when nobody has asked for it."""
        if self._taker is None:
            raise ProtocolError(f"{len(payload)} bytes on stream {self.stream}, which wants none")
        self._taker(payload)

    def hear(self, heard: Heard) -> None:
        """Let the controller hear something; after the end of the call nobody listens any more."""
        with self._ending:
            if not self._ended:
                self._outbox.say(Kind.EVENT, self.stream, wording.pack(heard))

    def end(self) -> None:
        """Let nothing be heard from now on: its answer is the last that is said on its stream."""
        with self._ending:
            self._ended = True

    def grant(self, amount: int) -> None:
        """Let so much more be sent."""
        if self._granted is not None:
            self._granted(amount)
        elif self._credit is not None:
            self._credit.grant(amount)

    def save(self, name: str, data: bytes | Path, keep: Keep | None = None) -> Kept:
        """Send a file: what it is, its content as fast as that is taken, and its checksum."""
        try:
            with io.BytesIO(data) if isinstance(data, bytes) else _open(data) as file:
                return self._send(
                    name[:1024], file, len(data) if isinstance(data, bytes) else _size(file), keep
                )
        except UnreadableError as error:
            raise LabError(f"cannot read {data!s} on the bench's host: {error}") from error

    def _send(self, name: str, file: BinaryIO, size: int | None, keep: Keep | None) -> Kept:
        credit = self._credit = self._credit or Credit()
        leave = self._bounded(credit)
        digest, done = sha256(), 0
        try:
            self.hear(_saving(name, size, keep))
            while block := _read(file, BLOCK if size is None else min(BLOCK, size - done)):
                digest.update(block)
                done += len(block)
                for payload in pack(block):
                    if not credit.spend(len(payload)):
                        raise self.stop.verdict()
                    self._outbox.say(Kind.DATA, self.stream, payload, Rank.BULK)
            if size is not None and done < size:
                raise UnreadableError(f"it has become shorter meanwhile: {done} bytes, not {size}")
            self.hear(Saved(name=name, size=done, sha256=digest.hexdigest()))
            return Kept(done, digest.hexdigest())
        finally:
            leave()

    def _bounded(self, credit: Credit) -> Callable[[], None]:
        """Have the sending of a file end with the call; return what takes that back.

        What a step that is stopped still has to give (a recording up to then) has a few seconds.
        """
        if self.stop.cause is None:
            return self.stop.watch(credit.close)
        self._last_files_until = self._last_files_until or time.monotonic() + LAST_FILES
        timer = threading.Timer(max(0.0, self._last_files_until - time.monotonic()), credit.close)
        timer.daemon = True
        timer.start()
        return timer.cancel


class UnreadableError(Exception):
    """A file cannot be read to its end; the text says why."""


def _saving(name: str, size: int | None, keep: Keep | None) -> Saving:
    if keep is None:
        return Saving(name=name, size=size)
    return Saving(
        name=name, size=size, target=str(keep.to), mode=keep.mode, replace=keep.replace, parents=keep.parents
    )


def _size(file: BinaryIO) -> int | None:
    """Return how much there is to be read; None for what only its end tells (proc(5), pipes)."""
    found = os.fstat(file.fileno())
    return found.st_size if stat.S_ISREG(found.st_mode) and found.st_size else None


def _read(file: BinaryIO, length: int) -> bytes:
    try:
        return file.read(length)
    except OSError as error:
        raise UnreadableError(error.strerror) from error


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise UnreadableError(error.strerror) from error
