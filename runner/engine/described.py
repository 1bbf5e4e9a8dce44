"""Describes the devices of a bench to modules that ask."""

from __future__ import annotations

from runner.agent.paths import resolved
from runner.api.device_info import DeviceInfo
from runner.model import Bench


def described(bench: Bench) -> tuple[DeviceInfo, ...]:
    """Return what the inventory says of each device; aliases stand with what they lead to."""
    refs = {name: device.ref for name, device in bench.devices.items() if device.ref}
    ways = {name: resolved(name, refs) for name in refs}
    return tuple(
        DeviceInfo(
            name=name,
            driver=device.driver.name,
            host=bench.host.name,
            capabilities=tuple(sorted(device.driver.interfaces)),
            children={part: tuple(sorted(offers)) for part, offers in device.driver.children.items()},
            aliases=tuple(
                alias if way == name else f"{alias} ({way})"
                for alias, way in ways.items()
                if way.partition(".")[0] == name
            ),
            simulated=device.driver.simulated,
        )
        for name, device in bench.devices.items()
        if device.driver is not None
    )
