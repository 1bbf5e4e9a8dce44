"""Say what a board's switch is, how it stands, and what it can do."""

from __future__ import annotations

from typing import Literal

from runner.api import Context, Duration, Module, Power, PowerReading, PowerState, Result, arg, device
from runner.api.switching import Outlet

Capability = Literal["state", "read", "cycle", "force_on", "force_off", "rescue"]


class SwitchInfo(Result):
    """A switch."""

    device: str
    outlet: str
    """What its driver calls it, as an address and an outlet; empty when there is only one."""
    state: PowerState | None
    """None when it cannot be read back."""
    reading: PowerReading | None
    """None when it cannot measure."""
    capabilities: tuple[Capability, ...]
    """What it can do besides switching on and off: `state` reads it back, `read` measures."""


class PowerInfo(Module):
    """Say what the board's switch is, whether it is on, what it measures and what it can do.

    Nothing is switched.

    Example::

        - power_info:
          expect: "'state' in result.capabilities"
    """

    reads_only = True

    within: Duration = arg(default=Duration("30s"), help="how long the switch may take to answer")
    power: Power = device(help="the switch in the board's supply")

    def run(self, context: Context) -> SwitchInfo:
        """Ask it."""
        outlet = Outlet(self.power, context, within=self.within)
        state = outlet.state()
        reading = outlet.reading()
        capabilities: list[Capability] = [
            *(("state",) if state is not None else ()),
            *(("read",) if reading is not None else ()),
            *outlet.capabilities(),
        ]
        return SwitchInfo(
            device=context.devices.get("power", "power"),
            outlet=outlet.label,
            state=state,
            reading=reading,
            capabilities=tuple(capabilities),
        )
