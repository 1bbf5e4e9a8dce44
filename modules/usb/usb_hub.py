"""Power switches of USB hubs, as uhubctl switches them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from runner.api import Driver, Duration, Needs, Power, PowerState, arg
from runner.modules.usb.attached import Attached, attached, the_one
from runner.modules.usb.device import NEEDED
from runner.modules.usb.hub_requests import HUB, Hub


class UsbHub(Driver, Power):
    """A port of a USB hub that can switch the power of each port.

    A hub for USB 3 is two hubs, one of each generation, in one case: both are switched, because a
    socket has power while either gives it. Few hubs have the switches, some say so and have not:
    look whether the lamp of what is plugged in goes out. Not tried with the hardware itself.

    Example::

        devices:
          power: {driver: usb_hub, location: 1-1.4, port: 2}
    """

    location: str = arg(help="where the hub is, as 'lsusb -t' or usb_hub_info says, or its serial number")
    port: int = arg(help="which port feeds the board", minimum=1, maximum=255)
    limit: Duration = arg(default=Duration("5s"), help="how long the hub may take to answer")

    def needs(self) -> Needs:
        """Return libusb."""
        return Needs(libraries=NEEDED)

    def open(self) -> None:
        """Find the hub and its twin; raise LabError when it is not there or cannot switch this port."""
        hubs = all_hubs()
        found = the_one(hubs, "hub", location=self.location)
        with ExitStack() as stack:
            self._halves = [
                (self._opened(half, port, stack), port) for half, port in halves(found, self.port, hubs)
            ]
            self._closing = stack.pop_all()

    def close(self) -> None:
        """Let go of it; its ports stay as they are."""
        self._closing.close()

    def on(self) -> None:
        """Give the port power."""
        for hub, port in self._halves:
            hub.switch(port, on=True)

    def off(self) -> None:
        """Take the power away from the port."""
        for hub, port in self._halves:
            hub.switch(port, on=False)

    def state(self) -> PowerState:
        """Read the port; off is when both halves are."""
        return "on" if "on" in {hub.state(port) for hub, port in self._halves} else "off"

    def label(self) -> str:
        """Return the hub and the port."""
        hub, port = self._halves[0]
        return f"{hub.name} port {port}"

    def _opened(self, found: Attached, port: int, stack: ExitStack) -> Hub:
        hub = Hub(found, self.limit)
        stack.callback(hub.close)
        hub.check_port(port)
        return hub


def all_hubs() -> list[Attached]:
    """Return the hubs of this host."""
    return [each for each in attached() if each.kind == HUB]


def halves(found: Attached, port: int, hubs: list[Attached]) -> list[tuple[Attached, int]]:
    """Return a hub and, when it has one, the hub of the other generation behind the same sockets."""
    twin = _linked(found, port, hubs) or _alike(found, port, hubs)
    return [(found, port), *([twin] if twin else [])]


def _linked(found: Attached, port: int, hubs: list[Attached]) -> tuple[Attached, int] | None:
    """Return what the kernel knows to be the same socket (Documentation/ABI, sysfs-bus-usb: peer)."""
    for peer in found.folder.resolve().glob(f"*:1.0/*-port{port}/peer"):
        location, _, number = Path(peer.resolve()).name.rpartition("-port")
        for each in hubs:
            if each.location == location:
                return each, int(number)
    return None


def _alike(found: Attached, port: int, hubs: list[Attached]) -> tuple[Attached, int] | None:
    """Return the hub at the same path of ports on another bus, of the same maker and the other generation."""
    path = found.location.partition("-")[2]
    for each in hubs:
        alike = path and each.location.partition("-")[2] == path and each.vendor == found.vendor
        if alike and (each.generation >= 3) != (found.generation >= 3):
            return each, port
    return None
