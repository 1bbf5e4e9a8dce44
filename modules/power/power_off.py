"""Switch a board off."""

from __future__ import annotations

from typing import Literal

from runner.api import Context, Duration, Module, Power, PowerState, Result, arg, device
from runner.api.switching import confirm, outlet, state_before


class SwitchedOff(Result):
    """How the switch reads; None where it cannot tell."""

    previous: PowerState | None
    state: PowerState | None


class PowerOff(Module):
    """Switch the board's power off and read the switch back.

    Example::

        - power_off:
        - power_off: {device: pdu, verify: state}
    """

    takes_power = True

    verify: Literal["auto", "state", "none"] = arg(
        default="auto", help="state: the switch must read back as off; auto: if it can be read"
    )
    within: Duration = arg(default=Duration("15s"), help="how long the switch may take to read back as off")
    power: Power = device(help="the switch in the board's supply")

    def run(self, context: Context) -> SwitchedOff:
        """Switch off and confirm it."""
        name = outlet(context, "power")
        previous = state_before(self.power, self.verify, name)
        self.power.off()
        if previous is None:
            return SwitchedOff(previous=None, state=None)
        state = confirm(self.power, "off", context, within=self.within, name=name)
        return SwitchedOff(previous=previous, state=state)
