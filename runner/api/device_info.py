"""The devices of a bench as its inventory describes them."""

from __future__ import annotations

from runner.api.module import Result


class DeviceInfo(Result):
    """A device, not opened."""

    name: str
    driver: str
    host: str
    """The name of the host that it is plugged into."""
    capabilities: tuple[str, ...]
    """The interfaces that it offers itself, as `Power`."""
    children: dict[str, tuple[str, ...]]
    """For each of its parts, what that offers."""
    aliases: tuple[str, ...]
    """Other names of it or of its parts, as the inventory writes them: ``main (dutlink.power)``."""
    simulated: bool
