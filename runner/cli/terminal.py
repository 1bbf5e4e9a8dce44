"""A raw terminal on a console: what is typed goes to the board, what the board says to the screen."""

from __future__ import annotations

import contextlib
import functools
import os
import select
import signal
import sys
import termios
import threading
import tty
import types
from collections.abc import Callable, Iterator
from typing import cast

from runner.agent.pipes import write_all
from runner.api.verdicts import Verdict
from runner.cli.keys import Asked, Keys, instructions
from runner.connect.line import Line, Power

_READ = 4096
_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
_KEEP_TITLE = b"\x1b[22;0t"
_GIVE_BACK = b"\x1b[0m\x1b[?25h\x1b[?2004l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1l\x1b>\x1b[23;0t"
"""Colours, cursor, bracketed paste, mouse, keypad and title, as xterm's ctlseqs has them: whatever
the board has changed is changed back."""


class Hangup(BaseException):
    """A signal asked the session to end."""

    def __init__(self, number: int) -> None:
        """Remember which one."""
        super().__init__(signal.Signals(number).name)
        self.number = number


class Screen:
    """The terminal's output: the board's bytes, and our own remarks on lines of their own."""

    def __init__(self, descriptor: int) -> None:
        """Write to a terminal."""
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._last = b"\n"

    def show(self, data: bytes) -> None:
        """Show what the board said."""
        with self._lock:
            write_all(self._descriptor, data)
            self._last = data[-1:] or self._last

    def remark(self, text: str) -> None:
        """Show a remark of ours."""
        lines = "".join(f"-- {line}\r\n" for line in text.split("\n"))
        with self._lock:
            start = "" if self._last == b"\n" else "\r\n"
            write_all(self._descriptor, f"{start}{lines}".encode("utf-8", "backslashreplace"))
            self._last = b"\n"


class End:
    """The end of a line that ended by itself, as something to poll."""

    def __init__(self) -> None:
        """Have not ended."""
        self.why = ""
        self.descriptor, self._wake = os.pipe2(os.O_CLOEXEC)

    def come(self, why: str) -> None:
        """End, for this reason; the first one counts."""
        if not self.why:
            self.why = why
            os.write(self._wake, b"\0")


def converse(line: Line, escape: int | None, screen: Screen, end: End) -> int:
    """Talk until the person quits, a signal comes or the line ends; return the exit code.

    The terminal is raw meanwhile and is given back as it was, whatever happens.
    """
    source = sys.stdin.fileno()
    with Signals() as signals, _raw(source, sys.stdout.fileno()):
        try:
            signals.let_in()
            _exchange(line, escape, screen, end, source)
            signals.keep_out()
        except Hangup as hangup:
            with contextlib.suppress(OSError):  # the terminal may be what has gone
                screen.remark(f"ended by {hangup}")
            return 128 + hangup.number
    return 0


def _exchange(line: Line, escape: int | None, screen: Screen, end: End, source: int) -> None:
    keys = Keys(escape)
    poll = select.poll()
    poll.register(source, select.POLLIN)
    poll.register(end.descriptor, select.POLLIN)
    told = False
    while True:
        ready = dict(poll.poll())
        if end.descriptor in ready:
            screen.remark(end.why)
            return
        data = os.read(source, _READ)
        if not data:
            return
        for meant in keys.feed(data):
            if meant == "quit":
                screen.remark("closed")
                return
            if isinstance(meant, Asked):
                _obey(meant, line, escape, screen)
            elif line.writable:
                _attempt(functools.partial(line.type, meant), screen)
            elif not told:
                told = True
                screen.remark("read only: a run holds this bench; --steal takes the input")


def _obey(asked: str, line: Line, escape: int | None, screen: Screen) -> None:
    if asked == "help":
        screen.remark(instructions(escape))
    elif asked == "unknown":
        screen.remark(f"no such command\n{instructions(escape)}")
    else:
        screen.remark(f"power {asked}")
        _attempt(functools.partial(line.power, cast("Power", asked)), screen)


def _attempt(work: Callable[[], None], screen: Screen) -> None:
    try:
        work()
    except Verdict as error:
        screen.remark(error.message)


@contextlib.contextmanager
def _raw(source: int, sink: int) -> Iterator[None]:
    before = termios.tcgetattr(source)
    tty.setraw(source, termios.TCSADRAIN)
    try:
        write_all(sink, _KEEP_TITLE)
        yield
    finally:
        with contextlib.suppress(OSError):  # nobody may be there to see it
            write_all(sink, _GIVE_BACK)
        with contextlib.suppress(termios.error):  # the terminal has gone
            termios.tcsetattr(source, termios.TCSADRAIN, before)


class Signals:
    """Makes a Hangup of the first signal, but never while the terminal is made raw or given back."""

    def __init__(self) -> None:
        """Take nothing yet."""
        self._first: int | None = None
        self._out = True

    def __enter__(self) -> Signals:
        """Take the signals from here on; none is let in."""
        self._before = {number: signal.signal(number, self._come) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        """Have them do again what they did."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def let_in(self) -> None:
        """Let a signal end what follows; raise Hangup for one that has come already."""
        self._out = False
        if self._first is not None:
            self._hang_up(self._first)

    def keep_out(self) -> None:
        """Let no signal end what follows."""
        self._out = True

    def _come(self, number: int, _frame: types.FrameType | None) -> None:
        if self._first is None:
            self._first = number
            if not self._out:
                self._hang_up(number)

    def _hang_up(self, number: int) -> None:
        self._out = True
        raise Hangup(number)
