"""List the USB hubs of a host."""

from __future__ import annotations

from runner.api import Context, Duration, LabError, Module, PowerState, Result, arg
from runner.modules.usb.attached import Attached
from runner.modules.usb.hub_requests import Hub
from runner.modules.usb.usb_hub import all_hubs


class PortInfo(Result):
    """A port of a hub."""

    port: int
    power: PowerState
    connected: bool
    """Whether something is plugged in; False for a port without power."""


class HubInfo(Result):
    """A hub."""

    location: str
    serial: str
    name: str
    kind: str
    """Its vendor and product, ``05e3:0610``."""
    switches_each_port: bool
    """Whether it says that the driver usb_hub can switch it."""
    ports: tuple[PortInfo, ...]
    problem: str
    """Why nothing is known of its ports, as a missing permission; else empty."""


class HubsInfo(Result):
    """The hubs of a host."""

    hubs: tuple[HubInfo, ...]


class UsbHubInfo(Module):
    """List the USB hubs of the bench's host: where they are, and how their ports stand.

    Example::

        - usb_hub_info:
          register: usb
        - log: "{{ usb.hubs | length }} hubs"
    """

    reads_only = True

    location: str = arg(default="", primary=True, help="only this hub; empty: all")
    limit: Duration = arg(default=Duration("5s"), help="how long each hub may take to answer")

    def run(self, context: Context) -> HubsInfo:
        """Ask each."""
        del context
        there = [each for each in all_hubs() if self.location in ("", each.location, each.serial)]
        return HubsInfo(hubs=tuple(self._asked(each) for each in there))

    def _asked(self, found: Attached) -> HubInfo:
        switches, problem = False, ""
        ports: tuple[PortInfo, ...] = ()
        try:
            switches, ports = self._read(found)
        except LabError as error:  # it is listed all the same, with the reason
            problem = error.message
        return HubInfo(
            location=found.location,
            serial=found.serial,
            name=found.name,
            kind=f"{found.vendor:04x}:{found.product:04x}",
            switches_each_port=switches,
            ports=ports,
            problem=problem,
        )

    def _read(self, found: Attached) -> tuple[bool, tuple[PortInfo, ...]]:
        hub = Hub(found, self.limit)
        try:
            ports = (
                PortInfo(port=port, power=hub.state(port), connected=hub.connected(port))
                for port in range(1, hub.ports + 1)
            )
            return hub.switches_each_port, tuple(ports)
        finally:
            hub.close()
