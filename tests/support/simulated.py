"""A simulated board on a clock of its own, with a console at it: no thread, no time passes."""

from __future__ import annotations

from support.desk import Memory
from support.plain_context import PlainContext

from runner.console import Chunk, Console, ConsoleSettings, Inline, Stream
from runner.modules.sim.board import Board
from runner.modules.sim.options import Faults, Firmware, System


class VirtualLine:
    """The board's serial line; whoever reads lets the time pass."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.time = 100.0
        self._printed = b""

    def now(self) -> float:
        return self.time

    def read(self, timeout: float) -> bytes:
        end = self.time + timeout
        self._printed += self.board.feed(b"", self.time)
        while not self._printed and self.time < end:
            due = self.board.due()
            self.time = min(end, max(self.time, end if due is None else due))
            self._printed += self.board.feed(b"", self.time)
        printed, self._printed = self._printed, b""
        return printed

    def write(self, data: bytes) -> None:
        self._printed += self.board.feed(data, self.time)

    def close(self) -> None:
        """Nothing is open."""


class VirtualContext(PlainContext):
    """Sleeps on the board's clock, and keeps what is said."""

    def __init__(self, line: VirtualLine) -> None:
        super().__init__()
        self._line = line
        self.logs: list[str] = []

    def log(self, text: str, level: str = "info") -> None:
        del level
        self.logs.append(text)

    def sleep(self, seconds: float) -> None:
        self._line.time += seconds


class VirtualBoard(Console):
    """A simulated board's console; `power` switches the board."""

    def __init__(
        self,
        firmware: Firmware | None = None,
        *,
        system: System | None = None,
        faults: Faults | None = None,
        settings: ConsoleSettings | None = None,
    ) -> None:
        self.board = Board(Memory(), firmware=firmware, system=system, faults=faults)
        self.line = VirtualLine(self.board)
        self.settings = settings or ConsoleSettings()
        self.raw = b""
        self.context = VirtualContext(self.line)
        self.start(self._record, "console", source=Inline(self.line), seed=1)

    def _record(self, chunk: Chunk) -> None:
        self.raw += chunk.data

    def connect(self) -> Stream:
        return self.line

    def power_cycle(self) -> None:
        self.board.switch(on=False, now=self.line.time)
        self.power_mark()
        self.board.switch(on=True, now=self.line.time)

    def hear(self, seconds: float) -> None:
        """Let time pass, and hear what is said."""
        assert self._live is not None
        until = self.line.time + seconds
        while self.line.time < until:
            self._live.source.wait(until - self.line.time)
            self._live.transcript.tick(self.line.time)
