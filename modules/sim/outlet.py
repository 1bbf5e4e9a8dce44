"""The switch in the supply of a simulated board, and what goes wrong with it."""

from __future__ import annotations

import threading

from runner.api import LabError, Power, PowerReading, PowerState, Unreachable
from runner.modules.sim.live import LiveBoard
from runner.modules.sim.options import Faults, OutletCall


class Outlet(Power):
    """The switch in the supply of a simulated board."""

    def __init__(self, live: LiveBoard, faults: Faults) -> None:
        """Take the board that it feeds."""
        self._live = live
        self._faults = faults
        self._claimed: PowerState = "on" if live.powered else "off"
        self._failed: dict[str, int] = {}
        self._closed = threading.Event()

    def on(self) -> None:
        """Switch the supply on."""
        self._answer("on")
        self._switch("on")

    def off(self) -> None:
        """Switch the supply off."""
        self._answer("off")
        self._switch("off")

    def state(self) -> PowerState:
        """Read the relay back."""
        self._answer("state")
        if self._faults.relay in ("lies", "other"):
            return self._claimed
        return "on" if self._live.powered else "off"

    def read(self) -> PowerReading:
        """Measure the supply: 5 V, and 0.42 A while the board runs."""
        current = 0.42 if self._live.powered else 0.0
        return PowerReading(voltage=5.0, current=current, power=5.0 * current)

    def label(self) -> str:
        """Return what it is."""
        return "the simulated board's outlet"

    def close(self) -> None:
        """End the calls that are never answered."""
        self._closed.set()

    def _answer(self, call: OutletCall) -> None:
        """Fail, or never come back, when a fault says so."""
        if call in self._faults.outlet_hangs:
            self._closed.wait()
            raise Unreachable("the simulated outlet was closed before it answered")
        failed = self._failed.get(call, 0)
        if call in self._faults.outlet_fails and not 0 < self._faults.outlet_fail_times <= failed:
            self._failed[call] = failed + 1
            raise LabError("the simulated outlet answers: 500 Internal Server Error")

    def _switch(self, state: PowerState) -> None:
        self._claimed = state
        if self._reaches_the_board(state):
            self._live.switch(on=state == "on", after=self._faults.outlet_delay)

    def _reaches_the_board(self, state: PowerState) -> bool:
        match self._faults.relay:
            case "works":
                return True
            case "other":
                return False
            case _:
                return state == "on" and not self._live.powered
