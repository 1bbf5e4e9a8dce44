"""The serial console of a simulated board."""

from __future__ import annotations

from runner.api import Context, Duration
from runner.console import Console, ConsoleGone, ConsoleSettings, Stream
from runner.modules.sim.live import LiveBoard, Port


class SimulatedConsole(Console):
    """The serial console of a simulated board."""

    def __init__(self, live: LiveBoard, settings: ConsoleSettings) -> None:
        """Take the board and how its console is used."""
        self._board = live
        self.settings = settings

    def connect(self) -> Stream:
        """Open the port."""
        return Port(self._board, ConsoleGone)

    def send_break(self, duration: Duration, context: Context) -> None:
        """Hold the line for so long."""
        self._board.receive_break()
        context.sleep(duration)
