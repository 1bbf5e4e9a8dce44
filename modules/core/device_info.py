"""Say what an instrument is."""

from __future__ import annotations

from collections.abc import Mapping

from runner.api import Context, Described, Module, Result, device


class About(Result):
    """What an instrument says of itself."""

    device: str
    about: Mapping[str, str]
    """Each driver has names of its own, as `version`, `serial` and `location`."""


class DeviceInfo(Module):
    """Ask an instrument for its version, its serial number, and what else it says of itself.

    Example::

        - device_info:
          expect: result.about.version == '1.2'
    """

    reads_only = True

    instrument: Described = device(help="the instrument")

    def run(self, context: Context) -> About:
        """Ask it."""
        name = context.devices.get("instrument", "instrument")
        return About(device=name, about=dict(self.instrument.about()))
