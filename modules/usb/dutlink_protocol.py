"""What is said to a DUTLink board: vendor requests to its interface (jumpstarter, "DUTLink board")."""

from __future__ import annotations

import math
import threading
from typing import Literal

from runner.api import Duration, LabError, PowerReading
from runner.modules.usb.attached import Attached
from runner.modules.usb.device import Device

KIND = (0x2B23, 0x1012)
_INTERFACE = (0xFF, 0x01, 0x01)
"""Class, subclass and protocol of the interface that is switched by."""
_TO, _FROM = 0x41, 0xC1
_PREPARE, _POWER, _STORAGE, _READ = 0x00, 0x01, 0x02, 0x04
_LONGEST = 512

PowerAction = Literal["off", "on", "force_off", "force_on", "rescue"]
_POWER_ACTIONS: tuple[PowerAction, ...] = ("off", "on", "force_off", "force_on", "rescue")
"""By the number of each."""
StorageAction = Literal["off", "host", "dut"]
_STORAGE_ACTIONS: tuple[StorageAction, ...] = ("off", "host", "dut")
Text = Literal["version", "power", "voltage", "current"]
_TEXTS: tuple[Text, ...] = ("version", "power", "voltage", "current")


class Harness:
    """A board that is open. Its parts talk to it one at a time: a reading is two requests."""

    def __init__(self, found: Attached, limit: Duration) -> None:
        """Open it."""
        self._device = Device(found, f"DUTLink {found.short}", limit)
        self._turn = threading.Lock()
        try:
            self._interface = self._device.interface(*_INTERFACE)
        except BaseException:
            self._device.close()
            raise

    @property
    def name(self) -> str:
        """What to call it: its kind and its serial number."""
        return self._device.name

    @property
    def found(self) -> Attached:
        """Where it is plugged in."""
        return self._device.found

    def power(self, action: PowerAction) -> None:
        """Press or switch; sent each time, since others may have switched the board."""
        self._tell(_POWER, _POWER_ACTIONS.index(action))

    def storage(self, action: StorageAction) -> None:
        """Switch the mux."""
        self._tell(_STORAGE, _STORAGE_ACTIONS.index(action))

    def text(self, what: Text) -> str:
        """Read a text, without what fills it up."""
        with self._turn:
            self._device.send(_TO, _PREPARE, 0, self._interface)
            answer = self._device.ask(_FROM, _READ, _TEXTS.index(what), self._interface, _LONGEST)
        try:
            return answer.partition(b"\0")[0].decode().strip()
        except UnicodeDecodeError as error:
            raise self._device.wrong(answer, f"the text {what!r}") from error

    def reading(self) -> PowerReading:
        """Measure; raise LabError when what it says cannot be read."""
        text = self.text("power")
        try:
            return reading_of(text)
        except ValueError as error:
            raise LabError(
                f"{self.name} measures {text!r}, {error}", evidence={"device": self.name, "text": text}
            ) from error

    def close(self) -> None:
        """Let go of it."""
        with self._turn:
            self._device.close()

    def _tell(self, request: int, value: int) -> None:
        with self._turn:
            self._device.send(_TO, request, value, self._interface)


def reading_of(text: str) -> PowerReading:
    """Return what a text of numbers with units says; raise ValueError for another.

    >>> reading_of("12.0V 0.5A 6.0W")
    PowerReading(voltage=12.0, current=0.5, power=6.0)
    """
    values: dict[str, float] = {}
    for word in text.split():
        number, unit = word[:-1], word[-1:]
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if unit not in "VAW" or not math.isfinite(value):
            raise ValueError(f"and {word!r} is no number of V, A or W")
        values[unit] = value
    if "V" not in values or "A" not in values:
        raise ValueError("expected V and A")
    return PowerReading(voltage=values["V"], current=values["A"], power=values.get("W"))
