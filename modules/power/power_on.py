"""Switch a board on."""

from __future__ import annotations

from typing import Literal

from runner.api import Context, Duration, Module, Power, PowerState, Result, arg, device
from runner.api.switching import confirm, outlet, state_before
from runner.console import Console


class SwitchedOn(Result):
    """How the switch reads; None where it cannot tell."""

    previous: PowerState | None
    state: PowerState | None


class PowerOn(Module):
    """Switch the board's power on and read the switch back.

    What the consoles said before cannot match any more.

    Example::

        - power_on:
        - power_on: {device: pdu, verify: none}
    """

    verify: Literal["auto", "state", "none"] = arg(
        default="auto", help="state: the switch must read back as on; auto: if it can be read"
    )
    within: Duration = arg(default=Duration("15s"), help="how long the switch may take to read back as on")
    power: Power = device(help="the switch in the board's supply")
    consoles: tuple[Console, ...] = device(every=True, help="they learn that the board starts anew")

    def run(self, context: Context) -> SwitchedOn:
        """Switch on and confirm it."""
        name = outlet(context, "power")
        previous = state_before(self.power, self.verify, name)
        for console in self.consoles:
            console.power_mark()
        self.power.on()
        if previous is None:
            return SwitchedOn(previous=None, state=None)
        state = confirm(self.power, "on", context, within=self.within, name=name)
        return SwitchedOn(previous=previous, state=state)
