"""Yepkit's switchable USB hubs (ykushcmd, "YKUSH Reference"; the bytes are those of its usbcom.cpp)."""

from __future__ import annotations

from typing import Literal

from runner.api import Driver, Duration, Needs, Power, PowerState, RecipeFault, arg
from runner.modules.usb.attached import Attached, attached, the_one
from runner.modules.usb.device import NEEDED, Device
from runner.modules.usb.turns import turn

VENDOR = 0x04D8
_SINGLE = 0xF0CD
KINDS = {0xF2F7: "YKUSH", 0x0042: "YKUSH", 0xF11B: "YKUSH3", _SINGLE: "YKUSH XS"}
"""What it is called, by its product number; 0x0042 is the first edition of the YKUSH."""
_DOWN, _UP, _STATUS = 0x00, 0x10, 0x20
"""The upper half of a command's byte; the lower half is the port, or 0xA for all."""
_ALL = 0xA
_DONE = 1
"""The first byte of a reply to what the hub has understood."""


class Ykush(Driver, Power):
    """A port, or all ports, of a YKUSH, YKUSH3 or YKUSH XS hub.

    Several benches may use ports of one hub at once. Every reply of the hub is checked. Not
    tried with the hardware itself.

    Example::

        devices:
          power: {driver: ykush, serial: YK21367, port: 2}
    """

    serial: str = arg(default="", help="its serial number; not needed for the only hub of a host")
    port: Literal[1, 2, 3, "all"] = arg(default="all", help="which port feeds the board", primary=True)
    limit: Duration = arg(default=Duration("2s"), help="how long the hub may take to answer")
    busy_limit: Duration = arg(
        default=Duration("5s"), help="how long other benches may keep the hub from taking a command"
    )

    def needs(self) -> Needs:
        """Return libusb."""
        return Needs(libraries=NEEDED)

    def open(self) -> None:
        """Find the hub; raise LabError when it is not there or there are several."""
        found = the_one(hubs(), "YKUSH hub", serial=self.serial)
        self._ports = ports_of(found, self.port)
        self._hub = Hub(found, self.limit, self.busy_limit)

    def close(self) -> None:
        """Let go of it; its ports stay as they are."""
        self._hub.close()

    def on(self) -> None:
        """Switch the port on."""
        self._hub.switch(self.port, on=True)

    def off(self) -> None:
        """Switch the port off."""
        self._hub.switch(self.port, on=False)

    def state(self) -> PowerState | None:
        """Read the port back; None when the ports of ``all`` differ."""
        states = set(self._hub.states(self._ports))
        return states.pop() if len(states) == 1 else None

    def label(self) -> str:
        """Return the hub and the port."""
        return f"{self._hub.name} {'all ports' if self.port == 'all' else f'port {self.port}'}"


def hubs() -> list[Attached]:
    """Return the hubs of this host."""
    return attached([(VENDOR, product) for product in KINDS])


def ports_of(found: Attached, port: Literal[1, 2, 3, "all"] = "all") -> tuple[int, ...]:
    """Return the numbers of the ports that are meant; raise RecipeFault when the hub has no such port."""
    there = (1,) if found.product == _SINGLE else (1, 2, 3)
    if port == "all":
        return there
    if port not in there:
        raise RecipeFault(f"{KINDS[found.product]} {found} has {len(there)} port, and no port {port}")
    return (port,)


class Hub:
    """A hub that is open: a report goes out, one comes back, and nobody comes in between."""

    def __init__(self, found: Attached, limit: Duration, busy_limit: Duration) -> None:
        """Open it; `limit`: for an answer; `busy_limit`: for others who use it, too."""
        self._device = Device(found, f"{KINDS[found.product]} {found.short}", limit)
        self._answered = True
        self._busy_limit = busy_limit
        self.name = self._device.name
        try:
            self._out, self._in = self._device.endpoints()
        except BaseException:
            self._device.close()
            raise

    def close(self) -> None:
        """Let go of it."""
        self._device.close()

    def switch(self, port: int | Literal["all"], *, on: bool) -> None:
        """Switch a port or all; raise LabError when the hub does not say that it has done so."""
        self._command((_UP if on else _DOWN) | (_ALL if port == "all" else port))

    def states(self, ports: tuple[int, ...]) -> tuple[PowerState, ...]:
        """Read ports."""
        return tuple(self._state(port) for port in ports)

    def _state(self, port: int) -> PowerState:
        reply = self._command(_STATUS | port)
        if reply[1] & 0x0F != port:
            raise self._device.wrong(reply, f"the state of port {port}")
        return "on" if reply[1] >> 4 else "off"

    def _command(self, code: int) -> bytes:
        report = bytes([code]).ljust(self._out.wMaxPacketSize, b"\0")
        with turn(self._device.found, self.name, self._busy_limit), self._device.claimed():
            if not self._answered:
                self._device.drop_late_answers(self._in)
            self._answered = False
            self._device.write(self._out, report)
            reply = self._device.read(self._in, self._in.wMaxPacketSize)
            self._answered = True
        if len(reply) < 2 or reply[0] != _DONE:
            raise self._device.wrong(reply, f"command 0x{code:02x}")
        return reply
