"""A hub that is open: the requests of its class (USB 2.0, section 11.24.2; USB 3.2, section 10.16.2)."""

from __future__ import annotations

from runner.api import Duration, PowerState, Unsupported
from runner.modules.usb.attached import Attached
from runner.modules.usb.device import Device

HUB = 9
"""The class of hubs."""
_OF_HUB, _TO_PORT, _OF_PORT = 0xA0, 0x23, 0xA3
_GET_STATUS, _CLEAR_FEATURE, _SET_FEATURE, _GET_DESCRIPTOR = 0, 1, 3, 6
_DESCRIPTOR, _SUPER_SPEED_DESCRIPTOR = 0x2900, 0x2A00
_LENGTH = 12
"""Of a descriptor of USB 3; for less, the kernel's own root hubs stall."""
_PORT_POWER = 8
_POWERED, _SUPER_SPEED_POWERED, _CONNECTED = 1 << 8, 1 << 9, 1 << 0
_SWITCHING, _EACH_PORT = 0b11, 0b01
"""In wHubCharacteristics: how power is switched, and one switch for each port."""


class Hub:
    """One hub. A hub for USB 3 is two: one of each generation."""

    def __init__(self, found: Attached, limit: Duration) -> None:
        """Open it and read what it has."""
        self.found = found
        self._new = found.generation >= 3
        self._device = Device(found, f"hub {found.location}", limit)
        try:
            self.ports, self._characteristics = self._described()
        except BaseException:
            self._device.close()
            raise

    @property
    def name(self) -> str:
        """What to call it."""
        return self._device.name

    @property
    def switches_each_port(self) -> bool:
        """Whether it says that it has a switch for each port."""
        return self._characteristics & _SWITCHING == _EACH_PORT

    def switch(self, port: int, *, on: bool) -> None:
        """Give a port power, or take it away."""
        self._device.send(_TO_PORT, _SET_FEATURE if on else _CLEAR_FEATURE, _PORT_POWER, port)

    def state(self, port: int) -> PowerState:
        """Read whether a port has power."""
        return "on" if self._status(port) & (_SUPER_SPEED_POWERED if self._new else _POWERED) else "off"

    def connected(self, port: int) -> bool:
        """Read whether something is plugged into a port; not of one without power."""
        return bool(self._status(port) & _CONNECTED)

    def check_port(self, port: int) -> None:
        """Raise Unsupported for a port that it has not, or when it cannot switch one alone."""
        if not 1 <= port <= self.ports:
            raise Unsupported(f"{self.name} has {self.ports} ports, and no port {port}")
        if not self.switches_each_port:
            raise Unsupported(
                f"{self.name} cannot switch the power of each port alone",
                evidence={"hub": self.found.location, "characteristics": f"0x{self._characteristics:04x}"},
                hint="uhubctl's documentation lists hubs that can",
            )

    def close(self) -> None:
        """Let go of it."""
        self._device.close()

    def _status(self, port: int) -> int:
        answer = self._device.ask(_OF_PORT, _GET_STATUS, 0, port, 4)
        if len(answer) != 4:
            raise self._device.wrong(answer, f"the status of port {port}")
        return int.from_bytes(answer[:2], "little")

    def _described(self) -> tuple[int, int]:
        value = _SUPER_SPEED_DESCRIPTOR if self._new else _DESCRIPTOR
        answer = self._device.ask(_OF_HUB, _GET_DESCRIPTOR, value, 0, _LENGTH)
        if len(answer) < 5 or answer[1] != value >> 8:
            raise self._device.wrong(answer, "for its descriptor")
        return answer[2], int.from_bytes(answer[3:5], "little")
