"""A simulated board at a console on one clock, with everything that its watchers tell."""

from __future__ import annotations

from collections.abc import Collection

from support.desk import Memory
from support.simulated import VirtualContext, VirtualLine

from runner.api import Duration
from runner.console import Chunk, Console, ConsoleSettings, Inline, Stream
from runner.console.alarm import Alarm, Watching
from runner.console.pattern import Pattern
from runner.modules.sim.board import Board
from runner.modules.sim.options import Faults, Firmware, System


class WatchedBoard(Console):
    """The console of a simulated board, watched."""

    def __init__(
        self,
        *,
        firmware: Firmware | None = None,
        system: System | None = None,
        faults: Faults | None = None,
        allow: Collection[str] = (),
        added: Collection[Pattern] = (),
    ) -> None:
        self.settings = ConsoleSettings()
        self.line = VirtualLine(Board(Memory(), firmware=firmware, system=system, faults=faults))
        self.context = VirtualContext(self.line)
        self.told: list[tuple[float, Alarm]] = []
        self.raw = b""
        watching = Watching(self._hear, frozenset(allow), tuple(added))
        self.start(self._record, "console", source=Inline(self.line), seed=1, watching=watching)

    def _record(self, chunk: Chunk) -> None:
        self.raw += chunk.data

    def _hear(self, alarm: Alarm) -> None:
        self.told.append((self.line.time, alarm))

    def connect(self) -> Stream:
        return self.line

    def switch_on(self) -> None:
        self.power_mark()
        self.line.board.switch(on=True, now=self.line.time)

    def switch_off(self) -> None:
        self.line.board.switch(on=False, now=self.line.time)

    def wait(self, seconds: float) -> None:
        """Let time pass, as a step does that does not touch the console."""
        live = self._use
        until = live.clock() + seconds
        while live.clock() < until:
            live.source.wait(min(0.5, until - live.clock()))
            live.tick(live.clock())

    def login_from_uboot(self) -> None:
        """Boot from the prompt, and log in."""
        self.send(b"boot\n", self.context)
        self.login(self.context, user="root", within=Duration("60s"))

    def sure(self) -> list[Alarm]:
        return [alarm for _, alarm in self.told if alarm.state == "sure"]

    def states(self) -> list[tuple[str, str]]:
        return [(alarm.state, alarm.name) for _, alarm in self.told]
