"""The parts of a virtual device of Corellium: its supply and its console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.api import Duration, Power, PowerState
from runner.console import Console, ConsoleSettings, Stream

if TYPE_CHECKING:
    from runner.modules.corellium.corellium import Corellium


class Supply(Power):
    """The supply of a virtual device; switching waits until it is so."""

    def __init__(self, machine: Corellium) -> None:
        """Take the device."""
        self._machine = machine

    @property
    def answers_within(self) -> Duration:
        """The time that the device is given to get there, and one request more."""
        return Duration(self._machine.patience + self._machine.limit)

    def abandon(self) -> bool:
        """End the call that is under way."""
        self._machine.abandon()
        return True

    def on(self) -> None:
        """Make it, switch it on or let it go on; return when it is on."""
        self._machine.start()

    def off(self) -> None:
        """Switch it off; return when it is off."""
        self._machine.stop()

    def state(self) -> PowerState:
        """Look at it; raise LabError when it has failed. One that there is not is off."""
        return self._machine.power_state()

    def label(self) -> str:
        """Name it and the API."""
        return self._machine.label


class CloudConsole(Console):
    """A console of a virtual device."""

    def __init__(self, machine: Corellium, settings: ConsoleSettings) -> None:
        """Take the device and how its console is used."""
        self._machine = machine
        self.settings = settings

    def connect(self) -> Stream:
        """Open it, by a URL that is asked for now; while the device is off, it is silent."""
        return self._machine.open_port()
