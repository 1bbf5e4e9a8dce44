"""Programs of a simulated board and the processor that runs them on a clock that is passed in.

A program is a generator. It yields what it wants (`Out`, `Sleep`, `Key`, `Restart`) and gets
the answer; nothing in it knows about real time, so a board can boot in no time at all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TypeVar, Union

INTERRUPT = b"\x03"
_AHEAD = 64 * 1024
"""Bytes of output after which programs wait until somebody takes them."""


@dataclass(frozen=True)
class Out:
    """Print. The answer is empty."""

    data: bytes
    error: bool = False


@dataclass(frozen=True)
class Sleep:
    """Wait for so many seconds. Ctrl-C ends it when `interruptible`, and is then the answer."""

    seconds: float
    interruptible: bool = False


@dataclass(frozen=True)
class Key:
    """Wait for one typed byte, up to `within` seconds; the answer is empty when none came."""

    within: float | None = None


@dataclass(frozen=True)
class Restart:
    """Reset the processor; everything that runs on it ends."""


Wish = Union[Out, Sleep, Key, Restart]
_Answer = TypeVar("_Answer")
Program = Generator[Wish, bytes, _Answer]


@dataclass(eq=False)
class _Task:
    program: Program[None]
    due: float
    wish: Wish | None = None
    wakes: bool = field(default=True)
    """False while it waits for a key without a limit."""


class Processor:
    """Runs programs in the order of their time; deterministic for the same input at the same times."""

    def __init__(self, transmit: Callable[[bytes, float], bytes]) -> None:
        """Take what `transmit` makes of each output (bytes and time) to be the line's bytes."""
        self._transmit = transmit
        self._tasks: list[_Task] = []
        self._typed: deque[int] = deque()
        self._waiting = bytearray()
        self._main: Callable[[], Program[None]] | None = None
        self.time = 0.0
        """The time of whatever runs now, in seconds of the clock that was passed in."""

    def start(self, main: Callable[[], Program[None]], now: float) -> None:
        """Begin with `main`, again after each restart."""
        self.stop()
        self.time = now
        self._main = main
        self.spawn(main())

    def stop(self) -> None:
        """End everything and forget what was typed; what was printed stays."""
        tasks, self._tasks = self._tasks, []
        self._typed.clear()
        self._main = None
        for task in tasks:
            task.program.close()

    def spawn(self, program: Program[None]) -> None:
        """Run a program beside the others, from now on."""
        self._tasks.append(_Task(program, self.time))

    def halt(self, last: Program[None]) -> None:
        """Run `last` instead of everything; called from a program, which ends with its next wish."""
        self._tasks = [_Task(last, self.time)]

    def forget_typed(self) -> None:
        """Drop what was typed ahead, as a serial port does when it is set up anew."""
        self._typed.clear()

    def type(self, data: bytes) -> None:
        """Put bytes into the receiver."""
        self._typed.extend(data)

    def take(self) -> bytes:
        """Return what was printed since the last time."""
        data = bytes(self._waiting)
        self._waiting.clear()
        return data

    def advance(self, now: float) -> None:
        """Run everything that is due up to `now`, or until much output waits to be taken."""
        while len(self._waiting) < _AHEAD:
            ready = self._next(now)
            if ready is None:
                self.time = max(self.time, now)
                return
            at, task = ready
            self.time = max(self.time, at)
            self._resume(task)

    def due(self) -> float | None:
        """Return when something happens next without input; None for never."""
        times = [self._ready_at(task) for task in self._tasks]
        return min((time for time in times if time is not None), default=None)

    def _next(self, now: float) -> tuple[float, _Task] | None:
        ready = [(at, task) for task in self._tasks if (at := self._ready_at(task)) is not None and at <= now]
        return min(ready, key=lambda pair: pair[0], default=None)

    def _ready_at(self, task: _Task) -> float | None:
        if isinstance(task.wish, Key) and self._typed:
            return self.time
        if isinstance(task.wish, Sleep) and task.wish.interruptible and 3 in self._typed:
            return self.time
        return task.due if task.wakes else None

    def _resume(self, task: _Task) -> None:
        try:
            wish = next(task.program) if task.wish is None else task.program.send(self._answer(task))
        except StopIteration:
            if task in self._tasks:
                self._tasks.remove(task)
            return
        if task not in self._tasks:
            task.program.close()
            return
        self._schedule(task, wish)

    def _answer(self, task: _Task) -> bytes:
        if isinstance(task.wish, Key) and self._typed:
            return bytes([self._typed.popleft()])
        if isinstance(task.wish, Sleep) and task.wish.interruptible and 3 in self._typed:
            while self._typed.popleft() != 3:
                pass
            return INTERRUPT
        return b""

    def _schedule(self, task: _Task, wish: Wish) -> None:
        task.wish, task.wakes, task.due = wish, True, self.time
        if isinstance(wish, Out):
            self._waiting += self._transmit(wish.data, self.time)
        elif isinstance(wish, Sleep):
            task.due = self.time + wish.seconds
        elif isinstance(wish, Key):
            task.wakes = wish.within is not None
            task.due = self.time + (wish.within or 0.0)
        elif self._main is not None:
            self.start(self._main, self.time)


def say(text: str, status: int = 0) -> Program[int]:
    """Print text and end with a status."""
    if text:
        yield Out(encode(text))
    return status


def complain(text: str, status: int = 1) -> Program[int]:
    """Print text where errors go and end with a status."""
    yield Out(encode(text), error=True)
    return status


def captured(program: Program[_Answer], *, errors: bool = False) -> Program[tuple[str, _Answer]]:
    """Run a program and return what it printed, with its answer; `errors` are kept too or pass on."""
    text = bytearray()
    try:
        wish = next(program)
        while True:
            if isinstance(wish, Out) and (errors or not wish.error):
                text += wish.data
                wish = program.send(b"")
            else:
                wish = program.send((yield wish))
    except StopIteration as end:
        return decode(bytes(text)), end.value


def encode(text: str) -> bytes:
    """Turn the board's text, one character for each byte, into bytes."""
    return text.encode("latin-1", errors="replace")


def decode(data: bytes) -> str:
    """Turn bytes into the board's text, one character for each byte."""
    return data.decode("latin-1")
