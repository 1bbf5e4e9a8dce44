"""A simulated board on the clock of this machine, and its console's port."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from runner.api import LabError, Unreachable
from runner.modules.sim.options import Faults

if TYPE_CHECKING:
    from runner.modules.sim.board import Board
    from runner.modules.sim.hardware import Stage


class LiveBoard:
    """Feeds a board with the time, from whichever thread asks; safe to use from many."""

    def __init__(self, board: Board, faults: Faults, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a board without power."""
        self._board = board
        self._faults = faults
        self._clock = clock
        self._changed = threading.Condition()
        self._switching: tuple[float, bool] | None = None
        self._printed = bytearray()

    @property
    def powered(self) -> bool:
        """Whether the supply is there now."""
        with self._changed:
            self._settle()
            return self._board.powered_at is not None

    @property
    def stage(self) -> Stage | None:
        """How far the board has come by now; None without power."""
        with self._changed:
            self._printed += self._board.feed(b"", self._settle())
            self._changed.notify_all()
            return self._board.stage

    @property
    def port_gone(self) -> bool:
        """Whether the console's port has vanished for now."""
        with self._changed:
            return self._port_is_gone(self._settle())

    def switch(self, *, on: bool, after: float) -> None:
        """Give or take power `after` so many seconds."""
        with self._changed:
            self._settle()
            self._switching = (self._clock() + after, on)
            self._settle()
            self._changed.notify_all()

    def type(self, data: bytes) -> None:
        """Type bytes."""
        with self._changed:
            self._printed += self._board.feed(data, self._settle())
            self._changed.notify_all()

    def receive_break(self) -> None:
        """Take a break on the console's line."""
        with self._changed:
            self._board.receive_break(self._settle())
            self._changed.notify_all()

    def drop_printed(self) -> None:
        """Forget what was printed up to now, as a port does that nobody has open."""
        with self._changed:
            now = self._settle()
            while self._board.feed(b"", now):
                pass
            self._printed.clear()

    def read(self, timeout: float, is_open: Callable[[], bool]) -> bytes | None:
        """Wait for output up to `timeout` seconds; None when the port has vanished or is not open."""
        end = self._clock() + timeout
        with self._changed:
            while True:
                now = self._settle()
                if not is_open() or self._port_is_gone(now):
                    return None
                self._printed += self._board.feed(b"", now)
                if self._printed or now >= end:
                    printed = bytes(self._printed)
                    self._printed.clear()
                    return printed
                self._changed.wait(max(0.0, min(end, *self._next_events(end)) - now))

    def wake(self) -> None:
        """Make whoever waits look again."""
        with self._changed:
            self._changed.notify_all()

    def _settle(self) -> float:
        """Let the outlet switch if it is time to; return the time."""
        now = self._clock()
        if self._switching is not None and self._switching[0] <= now:
            at, on = self._switching
            self._switching = None
            self._board.switch(on=on, now=at)
        return now

    def _next_events(self, otherwise: float) -> tuple[float, ...]:
        due = self._board.due()
        times = [otherwise if due is None else due]
        if self._switching is not None:
            times.append(self._switching[0])
        if self._board.powered_at is not None and self._faults.port_gone_after is not None:
            gone = self._board.powered_at + self._faults.port_gone_after
            times += [gone] if gone > self._clock() else []
        return tuple(times)

    def _port_is_gone(self, now: float) -> bool:
        since, after = self._board.powered_at, self._faults.port_gone_after
        return (
            since is not None and after is not None and 0 <= now - since - after < self._faults.port_gone_for
        )


class Port:
    """The console's port, open."""

    def __init__(self, live: LiveBoard, gone: Callable[[str], Exception]) -> None:
        """Open it; what was printed before is lost. `gone` makes the error of a vanished port."""
        if live.port_gone:
            raise Unreachable("the simulated board's port is not there")
        self._live = live
        self._gone = gone
        self._open = True
        live.drop_printed()

    def read(self, timeout: float) -> bytes:
        """Wait up to `timeout` seconds for bytes; none when the time is over."""
        data = self._live.read(timeout, lambda: self._open)
        if data is None:
            raise self._gone("the simulated board's port is gone")
        return data

    def write(self, data: bytes) -> None:
        """Type bytes."""
        if not self._open:
            raise LabError("the simulated board's port is closed")
        if self._live.port_gone:
            raise self._gone("the simulated board's port is gone")
        self._live.type(data)

    def close(self) -> None:
        """Close it."""
        self._open = False
        self._live.wake()
