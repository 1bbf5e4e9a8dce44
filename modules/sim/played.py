"""What every simulated board has: a supply that feeds it, and a serial console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.api import child
from runner.console import ConsoleSettings
from runner.modules.sim.console import SimulatedConsole
from runner.modules.sim.live import LiveBoard
from runner.modules.sim.options import Faults
from runner.modules.sim.outlet import Outlet

if TYPE_CHECKING:
    from runner.modules.sim.board import Board


class Played:
    """A board on the clock of this machine; its driver has options and the other parts."""

    settings: ConsoleSettings
    _live: LiveBoard
    _outlet: Outlet

    def play(self, board: Board, faults: Faults, *, powered: bool = False) -> None:
        """Let it live from now on, with or without power."""
        self._live = LiveBoard(board, faults)
        if powered:
            self._live.switch(on=True, after=0.0)
        self._outlet = Outlet(self._live, faults)

    def end(self) -> None:
        """Take its power away."""
        self._outlet.close()
        self._live.switch(on=False, after=0.0)

    @child
    def power(self) -> Outlet:
        """Its supply."""
        return self._outlet

    @child
    def console(self) -> SimulatedConsole:
        """Its serial console."""
        return SimulatedConsole(self._live, self.settings)
