"""Boards on a clock of their own: what is typed and said, byte for byte, without a thread."""

from __future__ import annotations

import re
import shlex
from collections import deque
from collections.abc import Callable, Mapping

from support.plain_context import PlainContext

from runner.api import Level
from runner.console import Chunk, Console, ConsoleSettings, Inline, Stream, frame

Answers = Mapping[str, tuple[str, int]]


class Board:
    """Says what it is told to say at its time; `hurt` changes what is typed, `insert` what is said."""

    def __init__(self, *, chunk: int = 4096, insert: tuple[int, bytes] | None = None) -> None:
        self.chunk = chunk
        self.insert = insert
        self.typed = b""
        self.writes: list[bytes] = []
        """What was written at once: the board gets to answer between two of them."""
        self.hurt: Callable[[int, bytes], bytes] = lambda _at, key: key
        self.said = 0
        self._now = 0.0
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._ready = b""

    def say(self, data: bytes, after: float = 0.0) -> None:
        due = max(self._now + after, self._waiting[-1][0] if self._waiting else 0.0)
        self._waiting.append((due, data))

    def now(self) -> float:
        return self._now

    def read(self, timeout: float) -> bytes:
        self._collect()
        if not self._ready:
            due = self._waiting[0][0] if self._waiting else float("inf")
            self._now = min(max(due, self._now), self._now + timeout)
            self._collect()
        data, self._ready = self._ready[: self.chunk], self._ready[self.chunk :]
        return data

    def _collect(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._now:
            self._ready += self._with_insertion(self._waiting.popleft()[1])

    def _with_insertion(self, data: bytes) -> bytes:
        start, self.said = self.said, self.said + len(data)
        if self.insert is None or not start <= self.insert[0] < self.said:
            return data
        at, extra = self.insert[0] - start, self.insert[1]
        return data[:at] + extra + data[at:]

    def write(self, data: bytes) -> None:
        self.writes.append(data)
        for index in range(len(data)):
            key = self.hurt(len(self.typed), data[index : index + 1])
            self.typed += data[index : index + 1]
            for byte in key:
                self.key(bytes([byte]))

    def key(self, key: bytes) -> None:
        """Take a typed byte."""

    def close(self) -> None:
        """Nothing is open."""


class LineBoard(Board):
    """Reads lines as a terminal does: echo, Ctrl-U, Ctrl-C."""

    prompt = b"# "
    interrupted = b"^C\r\n"

    def __init__(self, *, echo: bool = True, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.echo = echo
        self.line = b""
        self.lines: list[str] = []

    def key(self, key: bytes) -> None:
        if key == b"\x15":
            self.line = b""
        elif key == b"\x03":
            self.line = b""
            self.say(self.interrupted + self.prompt)
        elif key == b"\n":
            self._enter()
        else:
            self.line += key
            if self.echo:
                self.say(key)

    def _enter(self) -> None:
        if self.echo:
            self.say(b"\r\n")
        try:
            shlex.split(self.line.decode())
        except ValueError:
            self.line += b"\n"
            self.say(b"> ")
            return
        line, self.line = self.line.decode(), b""
        self.lines.append(line)
        self.ran(line.strip())
        self.say(self.prompt)

    def ran(self, line: str) -> None:
        """Run a line."""

    def print(self, text: str) -> None:
        self.say(text.replace("\n", "\r\n").encode())


class ShellBoard(LineBoard):
    """A shell that knows the commands of `answers`, and the function when it is defined."""

    def __init__(self, answers: Answers, *, functions: bool = True, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.answers = answers
        self.functions = functions
        self.defined = False
        self.executed: list[str] = []

    def ran(self, line: str) -> None:
        if line in ("", frame.TABLE, frame.NO_EDITING):
            return
        if line == frame.FUNCTION and self.functions:
            self.defined = True
        elif line.startswith("_r ") and self.defined:
            self._checked(shlex.split(line))
        elif found := re.fullmatch(r"(?:eval (.*);)?echo (\}\S*)\$\?", line, re.DOTALL):
            status = self._execute(shlex.split(found[1])[0]) if found[1] else 0
            self.print(f"{found[2].replace(chr(39), '')}{status}\n")
        else:
            self.print(f"sh: {line.split(maxsplit=1)[0]}: not found\n")

    def _checked(self, words: list[str]) -> None:
        command = "".join(words[3:])
        if len(words) < 4 or str(frame.checksum(words[1] + command)) != words[2]:
            self.print("}?{\n")
            return
        self.print(f"{{{words[1]}\n")
        status = self._execute(command)
        self.print(f"}}{words[1]}{status}\n")

    def _execute(self, command: str) -> int:
        if command.startswith(("#", "{ stty")):
            self.echo = "-echo" not in command if "stty" in command else self.echo
            return 0
        self.executed.append(command)
        output, status = self.answers.get(command, (f"sh: {command}: not found\n", 127))
        self.print(output)
        return status


class UbootBoard(LineBoard):
    """A U-Boot prompt; without `hush` it knows neither ``;`` nor ``$?``."""

    prompt = b"=> "
    interrupted = b"<INTERRUPT>\r\n"

    def __init__(self, answers: Answers, *, hush: bool = True, stamp: str = "", **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.answers = answers
        self.hush = hush
        self.stamp = stamp
        if stamp:
            self.prompt = (stamp + "=> ").encode()

    def ran(self, line: str) -> None:
        status = 0
        for command in line.split(";") if self.hush else [line]:
            if command.startswith("echo "):
                text = command[5:].replace("$?", str(status)) if self.hush else command[5:]
                output, status = f"{text}\n", 0
            else:
                output, status = self.answers.get(command, (f"Unknown command '{command}' - try 'help'\n", 1))
            self.print("".join(f"{self.stamp}{each}" for each in output.splitlines(keepends=True)))


class Listened(PlainContext):
    """A context that keeps what is said, and sleeps on the board's clock."""

    def __init__(self, board: Board) -> None:
        super().__init__()
        self.logs: list[str] = []
        self._board = board

    def log(self, text: str, level: Level = "info") -> None:
        self.logs.append(f"{level}: {text}")

    def sleep(self, seconds: float) -> None:
        self._board._now += seconds


class BoardConsole(Console):
    """A console at a board."""

    def __init__(self, board: Board, settings: ConsoleSettings | None = None) -> None:
        self.board = board
        self.settings = settings or ConsoleSettings(kernel_level=None)
        self.raw = b""
        self.context = Listened(board)
        self.start(self._record, "console", source=Inline(board), seed=1)

    def _record(self, chunk: Chunk) -> None:
        assert chunk.index == len(self.raw)
        self.raw += chunk.data

    def connect(self) -> Stream:
        return self.board

    def hear(self, seconds: float = 1.0) -> None:
        """Let time pass."""
        live = self._live
        assert live is not None
        until = live.clock() + seconds
        while live.clock() < until:
            live.source.wait(until - live.clock())
            live.transcript.tick(live.clock())

    def text(self) -> bytes:
        assert self._live is not None
        track = self._live.transcript.text
        return track.slice(track.start, track.end)

    def kernel(self) -> bytes:
        assert self._live is not None
        track = self._live.transcript.kernel
        return track.slice(track.start, track.end)
