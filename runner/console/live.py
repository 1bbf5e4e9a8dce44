"""A console in use: what it says, what is typed, and waiting for the one after the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from runner.api import Context, LabError
from runner.console.alarm import Watching
from runner.console.settings import ConsoleSettings
from runner.console.source import Source
from runner.console.stages import Stages
from runner.console.stream import Chunk
from runner.console.transcript import Listener, Transcript
from runner.console.watch import Watch
from runner.console.wire import Wire

_FIRST_PACE = 0.001
_SLOWEST_PACE = 0.02
_LATEST = 1024
"""Raw bytes that are kept for a protocol that begins before it is listened to."""


class Waited(Listener, Protocol):
    """A listener that knows when it has seen what it waits for."""

    @property
    def done(self) -> bool:
        """Whether there is nothing more to wait for."""


@dataclass
class Place:
    """What is believed to be at the other end, until something shows otherwise."""

    kind: str = "unknown"
    """``unknown``, ``shell`` (with the function that checks a command), ``plain shell``, ``uboot``."""
    hush: bool = True
    """Whether U-Boot's parser knows ``;`` and ``$?``."""
    kernel_level: str = ""
    """The console log level to be restored."""


class Live:
    """The state of a started console."""

    def __init__(
        self,
        source: Source,
        settings: ConsoleSettings,
        name: str,
        record: Callable[[Chunk], None],
        watching: Watching | None = None,
        typed: Callable[[bytes], None] | None = None,
    ) -> None:
        """Begin with an empty transcript; `start` opens the port. Without `watching` nothing is watched."""
        self.source = source
        self.settings = settings
        self.name = name
        self.transcript = Transcript(quiet=settings.quiet)
        self.place = Place()
        self.stages = Stages(self.transcript, settings)
        self.transcript.listen(self.stages)
        self._record = record
        self._typed = typed
        self._ended = ""
        self.watch = None if watching is None else Watch(self.transcript, watching)
        if self.watch is not None:
            self.transcript.listen(self.watch)
        self.pace = float(settings.char_delay)
        """Pause after each chunk that is typed, in seconds."""
        self._wire: Wire | None = None
        self._latest = b""

    def start(self) -> None:
        """Open the port and read from now on."""
        self.source.start(self._hear)

    def _hear(self, chunk: Chunk) -> None:
        if chunk.data or chunk.gap:
            self._record(chunk)
        if chunk.gap:
            self.transcript.interrupted()
            self._ended = chunk.gap if chunk.ended else self._ended
            self.source.lock.notify_all()
        elif self._wire is not None:
            if self.watch is not None:
                self.watch.take(chunk.data)
            self._wire.hear(chunk.data)
            self.source.lock.notify_all()
        elif chunk.data:
            self._ended = ""
            self._latest = (self._latest + chunk.data)[-_LATEST:]
            if self.watch is not None:
                self.watch.take(chunk.data)
            self.transcript.feed(chunk.data, chunk.monotonic_ns / 1e9)
        self.tick(chunk.monotonic_ns / 1e9)

    def tick(self, now: float) -> None:
        """Take note of the time; called with the source's lock held."""
        self.transcript.tick(now)
        if self.watch is not None:
            self.watch.tick(now)

    def tell_watch(self, tell: Callable[[Watch], None]) -> None:
        """Tell the watch something, if there is one."""
        with self.source.lock:
            if self.watch is not None:
                tell(self.watch)

    def command_ended(self, start: int, end: int, *, reads_log: bool = False) -> None:
        """Say that a command has ended, whose output is between these raw offsets; see `Watch.ended`."""
        self.tell_watch(lambda watch: watch.ended(start, end, reads_log=reads_log))

    def power_mark(self) -> None:
        """Expect a new life at the other end: what came before says nothing about it."""
        with self.source.lock:
            self._ended = ""
            self.transcript.interrupted()
            self.transcript.last = self.transcript.mark("power_on", self.clock())
            self.stages.begin("power", self.clock())
            self.place = Place()
            if self.watch is not None:
                self.watch.power_on()

    def send(self, data: bytes, context: Context, pace: float | None = None) -> None:
        """Type bytes at the pace that this console bears, or at another."""
        pause = self.pace if pace is None else pace
        if not pause:
            context.check_cancelled()
            self.type(data)
            return
        self._tell_typed(data)
        size = self.settings.chunk
        for start in range(0, len(data), size):
            self.source.write(data[start : start + size])
            context.sleep(pause)

    def type(self, data: bytes) -> None:
        """Type bytes at once."""
        self._tell_typed(data)
        self.source.write(data)

    def _tell_typed(self, data: bytes) -> None:
        if self._typed is not None:
            self._typed(data)

    def typing_time(self, data: bytes) -> float:
        """Return how many seconds `send` takes at least."""
        return self.pace * len(data) / self.settings.chunk

    def slow_down(self) -> float:
        """Type more slowly from now on; return the new pause in seconds."""
        self.pace = min(max(_FIRST_PACE, self.pace * 4), max(_SLOWEST_PACE, self.pace))
        return self.pace

    @contextmanager
    def listening(self, listener: Waited) -> Iterator[None]:
        """Let somebody listen, and wake whoever waits when it is done."""
        watch = _Wake(listener, self.source)
        with self.source.lock:
            self.transcript.listen(watch)
        try:
            yield
        finally:
            with self.source.lock:
                self.transcript.leave(watch)

    @contextmanager
    def wired(
        self, context: Context, since: int | None = None, ends: re.Pattern[bytes] | None = None
    ) -> Iterator[Wire]:
        """Give the bytes to a protocol, as they come; what it leaves is text again.

        `since`: a raw offset; what came after it, just now, is given, too. `ends`: what comes behind
        the protocol; it is text.
        """
        wire = Wire(self, context, ends)
        with self.source.lock:
            position = self.transcript.position
            came = position - (position if since is None else since)
            wire.begin(self._latest[-came:] if came else b"")
            self.transcript.interrupted()
            self._wire = wire
        try:
            yield wire
        finally:
            with self.source.lock:
                self._wire = None
                left = wire.left
                self._latest = left[-_LATEST:]
                self.transcript.skip(wire.heard - len(left))
                self.transcript.feed(left, self.clock())

    def wait(self, listener: Waited, until: float, context: Context) -> bool:
        """Wait until a listener is done; False when the time `until` (of `clock`) has come before.

        Raise LabError when what is at the other end has ended and nothing can come any more.
        """
        source, transcript = self.source, self.transcript
        if listener.done:
            return True
        take_back = context.on_cancel(source.wake)
        try:
            with source.lock:
                while not listener.done:
                    context.check_cancelled()
                    self._check_alive()
                    now = source.clock()
                    if now >= until:
                        return False
                    quiet_at = transcript.quiet_at
                    due = until if quiet_at is None else min(until, quiet_at)
                    if due > now:
                        source.wait(due - now)
                    self.tick(source.clock())
        finally:
            take_back()
        return True

    def remark(self, text: str) -> None:
        """Put a remark into the record, at this place."""
        with self.source.lock:
            now = round(self.clock() * 1e9)
            self._record(Chunk(self.transcript.position, now, self.source.calendar(), b"", text))

    def clock(self) -> float:
        """Return the time in seconds."""
        return self.source.clock()

    def _check_alive(self) -> None:
        if self._ended:
            raise LabError(
                f"console {self.name!r}: {self._ended.removeprefix('lost: ')}",
                evidence={"tail": self.transcript.tail(8)},
                hint="look into the system log of its host for who ended it; power_cycle starts it again",
            )

    def check_present(self) -> None:
        """Raise LabError when the port is away."""
        if self.source.gone:
            raise LabError(
                f"console {self.name!r} is gone: {self.source.gone}", hint="is the adapter plugged in?"
            )


class _Wake:
    """Passes on what is heard, and notifies once the listener is done."""

    def __init__(self, listener: Waited, source: Source) -> None:
        self._listener = listener
        self._source = source

    def advance(self, *, quiet: bool) -> None:
        if self._listener.done:
            return
        self._listener.advance(quiet=quiet)
        if self._listener.done:
            self._source.lock.notify_all()


class Deadline:
    """When a wait is over, and which limit says so."""

    def __init__(self, live: Live, seconds: float, origin: str, context: Context) -> None:
        """Begin now; the step's own limit is kept if it is shorter."""
        left = float(context.left)
        self.started = live.clock()
        self.seconds = min(seconds, left)
        self.origin = origin if seconds <= left else "the step's timeout"
        self.until = self.started + self.seconds

    def left(self, live: Live) -> float:
        """Return how many seconds there still are."""
        return max(self.until - live.clock(), 0.0)
