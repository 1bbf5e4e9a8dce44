"""What the console engine costs, beside pexpect and bare system calls, in one run.

    python benchmarks/console.py [--quick]

Search: a program writes many lines and a last word into a pipe; somebody reads until the word.
Round trip: a command at /bin/sh on a pty. Figures are ratios to their neighbours, not absolute.
"""

from __future__ import annotations

import argparse
import os
import pty
import re
import resource
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pexpect
import pexpect.fdpexpect

from runner.console import Console, ConsoleGone, ConsoleSettings, Stream
from runner.console.alarm import Watching
from runner.console.expectation import Expectation
from runner.console.pattern import regex
from runner.console.transcript import Transcript
from runner.console.watch import Watch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from support.plain_context import PlainContext

from runner.api import Duration

LINE = b"systemd[1]: Starting service number 123 of the day ... done and well\r\n"
KERNEL = b"[  123.456789] usb 1-1: new high-speed USB device number 7 using xhci_hcd\r\n"
LAST = b"login: "
HOUR = Duration("1h")
WATCHING = Watching(lambda _alarm: None)


class Descriptor:
    """A file descriptor as a stream."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def read(self, timeout: float) -> bytes:
        """Wait with select, read with os.read."""
        if not select.select([self.descriptor], [], [], timeout)[0]:
            return b""
        data = os.read(self.descriptor, 65536)
        if not data:
            raise ConsoleGone("end")
        return data

    def write(self, data: bytes) -> None:
        """Write it all at once."""
        os.write(self.descriptor, data)

    def close(self) -> None:
        """Leave the descriptor to its owner."""


class Here(Console):
    """A console at a descriptor."""

    def __init__(self, descriptor: int) -> None:
        self.settings = ConsoleSettings(kernel_level=None)
        self._descriptor = descriptor

    def connect(self) -> Stream:
        """Return the descriptor."""
        return Descriptor(self._descriptor)


def searched(megabytes: int, read: Callable[[int], None]) -> float:
    """Return MB/s of reading so much from a pipe until the last word."""
    with tempfile.NamedTemporaryFile() as file:
        block = LINE * (1_000_000 // len(LINE))
        for _ in range(megabytes):
            file.write(block)
        file.write(LAST)
        file.flush()
        with subprocess.Popen(["cat", file.name], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            started = time.perf_counter()
            read(writer.stdout.fileno())
            taken = time.perf_counter() - started
            writer.kill()
    return megabytes / taken


def ours(pattern: str, watching: Watching | None = WATCHING) -> Callable[[int], None]:
    def read(descriptor: int) -> None:
        console = Here(descriptor)
        console.start(lambda _chunk: None, "console", watching=watching)
        console.expect(pattern, PlainContext(), within=HOUR, since="start")
        console.stop()

    return read


def bare(descriptor: int) -> None:
    kept = b""
    while not re.search(rb"login: ", kept):
        kept = kept[-100:] + os.read(descriptor, 65536)


def peer(**options: object) -> Callable[[int], None]:
    def read(descriptor: int) -> None:
        spawn = pexpect.fdpexpect.fdspawn(descriptor, timeout=600, **options)
        spawn.expect(rb"login: ")

    return read


def engine(megabytes: int, pattern: str) -> float:
    """Return MB/s of the engine alone, without a port or a thread."""
    transcript = Transcript(quiet=0.1)
    transcript.listen(Expectation(transcript, [regex(pattern)], 0))
    return fed(transcript, LINE, megabytes)


def fed(transcript: Transcript, lines: bytes, megabytes: int) -> float:
    block = lines * (65536 // len(lines))
    started = time.perf_counter()
    for _ in range(megabytes * 1_000_000 // len(block)):
        transcript.feed(block, 0.0)
    return megabytes / (time.perf_counter() - started)


def watched(megabytes: int, lines: bytes, *, watching: bool) -> float:
    """Return MB/s of a console that nobody waits for, with and without its watch."""
    transcript = Transcript(quiet=0.1)
    if watching:
        transcript.listen(Watch(transcript, WATCHING))
    return fed(transcript, lines, megabytes)


def shell() -> int:
    """Return a pty with a shell that is quiet."""
    process, descriptor = pty.fork()
    if process == 0:
        os.execvp("/bin/sh", ["/bin/sh"])
    return descriptor


def round_trip(turn: Callable[[], object], count: int) -> float:
    """Return the median of so many turns in milliseconds."""
    times = []
    for _ in range(count):
        started = time.perf_counter()
        turn()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1000


def bare_turn() -> Callable[[], None]:
    descriptor = shell()
    os.write(descriptor, b"stty -echo; echo rea''dy\n")
    _until(descriptor, rb"ready\r\n")

    def turn() -> None:
        os.write(descriptor, b"true;echo }abcd$?\n")
        _until(descriptor, rb"}abcd0\r\n")

    return turn


def _until(descriptor: int, pattern: bytes) -> None:
    kept = b""
    while not re.search(pattern, kept):
        kept += os.read(descriptor, 65536)


def our_turn() -> Callable[[], object]:
    console, context = Here(shell()), PlainContext()
    console.start(lambda _chunk: None, "console")
    return lambda: console.run("true", context, timeout=HOUR)


def peer_turn(delay: float | None) -> Callable[[], object]:
    spawn = pexpect.spawn("/bin/sh", timeout=60)
    spawn.delaybeforesend = delay
    spawn.sendline(b"stty -echo; PS1=; echo rea''dy")
    spawn.expect(rb"ready\r\n")

    def turn() -> None:
        spawn.sendline(b"true;echo }abcd$?")
        spawn.expect(rb"}abcd0\r\n")

    return turn


def _resident() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    size = 20 if quick else 100
    print(f"search, {size} MB through a pipe, MB/s")
    for name, read, megabytes in (
        ("bare os.read and re, last 100 bytes kept", bare, size),
        ("ours, literal, everything kept and cleaned", ours("login: "), size),
        ("the same, not watched", ours("login: ", None), size),
        ("ours, literal, 1 MB", ours("login: "), 1),
        (r"ours, \w+: without a literal prefix", ours(r"\w+: $"), size),
        ("ours, four alternatives", ours("panic|Oops|BUG:|login: "), size),
        ("pexpect, searchwindowsize and maxread set", peer(maxread=65536, searchwindowsize=200), size),
        ("pexpect as it comes (4 MB)", peer(), 4),
    ):
        print(f"  {name:45} {searched(megabytes, read):8.1f}   largest so far {_resident():.0f} MiB")
    print("engine alone, MB/s (linear: the figures of a column are alike)")
    for pattern in ("login: ", r"\d+ errors", r"[A-Z]\d\d[a-z]", "panic|Oops|BUG:|login: "):
        print(f"  {pattern:45} " + " ".join(f"{engine(each, pattern):8.1f}" for each in (1, 10, size)))
    print("a console that nobody waits for, MB/s: not watched, watched")
    for name, lines in (
        ("text", LINE),
        ("text of a kernel with stamps", LINE * 20 + KERNEL),
        ("kernel messages only", KERNEL),
    ):
        pair = [watched(size, lines, watching=watching) for watching in (False, True)]
        print(f"  {name:45} " + " ".join(f"{each:8.1f}" for each in pair))
    count = 200 if quick else 2000
    print("a command at /bin/sh on a pty, ms")
    for name, turn, times in (
        ("bare os.write, os.read and re", bare_turn(), count),
        ("ours: framed, checked before it runs", our_turn(), count),
        ("pexpect without delay", peer_turn(None), count),
        ("pexpect as it comes", peer_turn(0.05), 20),
    ):
        print(f"  {name:45} {round_trip(turn, times):8.3f}")


if __name__ == "__main__":
    main()
