"""A program of the host, heard while it runs and ended with all it has started."""

from __future__ import annotations

import codecs
import os
import selectors
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import IO

from runner.api.context import Context
from runner.api.module import Result
from runner.api.process import end, popen
from runner.api.values import Duration

KEEP = 256 * 1024
"""Characters of each output stream that are kept, the last ones."""
_READ = 64 * 1024
_TAIL = 20
_DRAIN = 1.0
"""Seconds for what is still in the pipes when the program and all it started have ended."""


class Ended(Result):
    """What a program printed, and how it ended."""

    stdout: str
    """The last 256 KiB."""
    stderr: str
    """The last 256 KiB."""
    status: int
    """Its exit status; negative: the signal that ended it."""
    elapsed: Duration
    dropped: int = 0
    """Characters missing at the front of `stdout` and `stderr`."""
    timed_out: bool = False
    """True when its time was over before it ended by itself."""


def run(
    arguments: Sequence[str],
    context: Context,
    *,
    timeout: Duration,
    stdin: str = "",
    chdir: str = "",
    env: Mapping[str, str] | None = None,
    quiet: bool = False,
    hear: Callable[[str], None] | None = None,
) -> tuple[Ended, bool]:
    """Run a program; tell how it ended, and whether in time.

    Its output is said line by line, unless it is `quiet`.

    `hear` gets what it prints as it comes, for those that show how far they are in one line.
    Raise Unreachable when it cannot be started, Cancelled when the step is stopped.
    """
    started = time.monotonic()
    with ExitStack() as stack:
        process = _start(arguments, stdin=stdin, chdir=chdir, env=env)
        stack.callback(_let_go, process)
        said = None if quiet else context
        pipes = (process.stdout, process.stderr)
        streams = [_Heard(pipe, said, hear) for pipe in pipes if pipe is not None]
        in_time = _listen(process, streams, started + timeout, context)
        status = end(process)
        _drain(streams)
    out, err = streams
    ended = Ended(
        stdout=out.text,
        stderr=err.text,
        status=status,
        elapsed=Duration(time.monotonic() - started),
        dropped=out.dropped + err.dropped,
        timed_out=not in_time,
    )
    return ended, in_time


def how(status: int) -> str:
    """Say how a program ended: ``exit status 3``, or ``ended by signal SIGKILL``."""
    if status >= 0:
        return f"exit status {status}"
    return f"ended by signal {signal.Signals(-status).name}"


def tail(text: str) -> str:
    """Return the last 20 lines, for the evidence of an error."""
    return "\n".join(text.splitlines()[-_TAIL:])


def _start(
    arguments: Sequence[str], *, stdin: str, chdir: str, env: Mapping[str, str] | None
) -> subprocess.Popen[bytes]:
    with tempfile.TemporaryFile() as given:
        given.write(stdin.encode())
        given.seek(0)
        whole = {**os.environ, **env} if env else None
        return popen(arguments, stdin=given, cwd=chdir or None, env=whole)


def _let_go(process: subprocess.Popen[bytes]) -> None:
    end(process)
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _listen(
    process: subprocess.Popen[bytes], streams: Sequence[_Heard], until: float, context: Context
) -> bool:
    """Hear the streams until the program has ended; False when its time is over before."""
    ended = threading.Event()
    with _Bell() as bell, selectors.DefaultSelector() as selector:
        selector.register(bell, selectors.EVENT_READ, bell.clear)
        for stream in streams:
            selector.register(stream.pipe, selectors.EVENT_READ, stream.read)
        threading.Thread(
            target=_await, args=(process, ended, bell), name=f"await {process.pid}", daemon=True
        ).start()
        take_back = context.on_cancel(bell.ring)
        try:
            while not ended.is_set():
                context.check_cancelled()
                left = until - time.monotonic()
                if left <= 0:
                    return False
                _hear(selector, left)
        finally:
            take_back()
    return True


def _await(process: subprocess.Popen[bytes], ended: threading.Event, bell: _Bell) -> None:
    process.wait()
    ended.set()
    bell.ring()


def _drain(streams: Sequence[_Heard]) -> None:
    """Read what is left; somebody who has escaped from the group may hold a pipe open."""
    until = time.monotonic() + _DRAIN
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream.pipe, selectors.EVENT_READ, stream.read)
        left = _DRAIN
        while selector.get_map() and left > 0:
            left = max(0.0, until - time.monotonic())
            _hear(selector, left)  # when the time is over, too: what is there already is not lost
    for stream in streams:
        stream.finish()


def _hear(selector: selectors.BaseSelector, timeout: float) -> None:
    for key, _ in selector.select(timeout):
        if not key.data():
            selector.unregister(key.fileobj)


class _Heard:
    """An output stream as text: its end is kept, its lines are said if there is a context."""

    def __init__(self, pipe: IO[bytes], context: Context | None, hear: Callable[[str], None] | None) -> None:
        self.pipe = pipe
        self._hear = hear
        self.text = ""
        self.dropped = 0
        self._context = context
        self._line = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def read(self) -> bool:
        """Read what is there; False at the end of the stream."""
        data = os.read(self.pipe.fileno(), _READ)
        self._take(self._decoder.decode(data))
        return bool(data)

    def finish(self) -> None:
        """Take the rest as it stands."""
        self._take(self._decoder.decode(b"", final=True))
        if self._line and self._context:
            self._context.log(self._line)

    def _take(self, text: str) -> None:
        if self._hear is not None:
            self._hear(text)
        kept = self.text + text
        self.text = kept[-KEEP:]
        self.dropped += len(kept) - len(self.text)
        whole, _, self._line = (self._line + text).rpartition("\n")
        if whole and self._context:
            self._context.log(whole)


class _Bell:
    """Wakes a selector from any thread; rung too late, it does nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ends: tuple[int, int] | None = None

    def __enter__(self) -> _Bell:
        self._ends = os.pipe()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            ends, self._ends = self._ends, None
        for each in ends or ():
            os.close(each)

    def fileno(self) -> int:
        return self._ends[0] if self._ends else -1

    def ring(self) -> None:
        with self._lock:
            if self._ends:
                os.write(self._ends[1], b"!")

    def clear(self) -> bool:
        return bool(os.read(self.fileno(), _READ))
