"""A console for scripts: standard input goes to the board, what the board says to standard output."""

from __future__ import annotations

import os
import re
import select
import threading
import time
from dataclasses import dataclass

from runner.agent.pipes import write_all
from runner.api.verdicts import Failed, LabError
from runner.cli.terminal import End
from runner.connect.line import Line
from runner.engine.planning import NoBench

_READ = 4096
_KEPT = 64 * 1024
"""Bytes before the newest ones in which a pattern may begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a piped session begins to type and when it ends, in seconds."""

    after: re.Pattern[bytes] | None
    until: re.Pattern[bytes] | None
    linger: float
    timeout: float


class Sink:
    """Standard output, which a script may close, and what came lately."""

    def __init__(self, descriptor: int) -> None:
        """Write to a file or pipe."""
        self._descriptor = descriptor
        self._changed = threading.Condition()
        self._recent = bytearray()
        self._last = time.monotonic()
        self._gone = False

    def show(self, data: bytes) -> None:
        """Write what the board said, exactly; nothing more once nobody reads."""
        with self._changed:
            self._recent += data
            del self._recent[: -_KEPT - len(data)]
            self._last = time.monotonic()
            self._changed.notify_all()
        if not self._gone:
            try:
                write_all(self._descriptor, data)
            except BrokenPipeError:
                self._gone = True
                self.wake()

    def wake(self) -> None:
        """Let those who wait look again."""
        with self._changed:
            self._changed.notify_all()

    def forget(self) -> None:
        """Look for patterns only in what comes from now on."""
        with self._changed:
            self._recent.clear()

    def wait_for(self, pattern: re.Pattern[bytes], until: float, end: End) -> bool:
        """Wait until a pattern has come; False when the time is over or nobody reads any more."""
        with self._changed:
            while not (self._gone or end.why):
                if pattern.search(self._recent):
                    return True
                left = until - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
            return pattern.search(self._recent) is not None

    def wait_for_silence(self, linger: float, until: float, end: End) -> bool:
        """Wait until the board has said nothing for so long; False when the time is over before."""
        began = time.monotonic()
        with self._changed:
            while not (self._gone or end.why):
                now = time.monotonic()
                quiet = max(began, self._last) + linger
                if now >= quiet:
                    return True
                if now >= until:
                    return False
                self._changed.wait(min(quiet, until) - now)
        return True


def pipe(line: Line, limits: Limits, sink: Sink, end: End, source: int) -> int:
    """Type what comes in, and end once the board has answered; return the exit code.

    Raise Failed when a pattern has not come in time, NoBench when there is something to type
    and somebody else holds the bench, LabError when the console is lost.
    """
    began = time.monotonic()
    if limits.after is not None and not sink.wait_for(limits.after, began + limits.timeout, end):
        raise _missed("--after", limits.after, limits, end)
    sink.forget()
    _type_all(line, source, end)
    until = time.monotonic() + limits.timeout
    if limits.until is not None:
        if not sink.wait_for(limits.until, until, end):
            raise _missed("--until", limits.until, limits, end)
    elif not sink.wait_for_silence(limits.linger, until, end):
        raise Failed(
            f"the board was still talking {limits.timeout:g}s after the end of the input (--timeout)",
            hint="--until PATTERN ends at what you wait for",
        )
    if end.why and limits.until is None:
        raise LabError(end.why)
    return 0


def _type_all(line: Line, source: int, end: End) -> None:
    poll = select.poll()
    poll.register(source, select.POLLIN)
    poll.register(end.descriptor, select.POLLIN)
    while end.descriptor not in dict(poll.poll()):
        data = os.read(source, _READ)
        if not data:
            return
        if not line.writable:
            raise NoBench("the bench is held by a run, so nothing can be typed; --steal takes the input")
        line.type(data)


def _missed(option: str, pattern: re.Pattern[bytes], limits: Limits, end: End) -> Exception:
    said = pattern.pattern.decode("utf-8", "backslashreplace")
    if end.why:
        return LabError(f"{end.why}, before {said!r} came ({option})")
    return Failed(f"{said!r} did not come within {limits.timeout:g}s (--timeout, {option})")
