"""Switch a board on."""

from __future__ import annotations

from typing import Literal

from runner.api import Context, Duration, Module, Power, PowerState, RecipeFault, Result, arg, device
from runner.api.switching import Outlet
from runner.console import Console, Witnesses


class SwitchedOn(Result):
    """How the switch reads; None where it cannot tell."""

    previous: PowerState | None
    state: PowerState | None


class PowerOn(Module):
    """Switch the board's power on and read the switch back.

    What the consoles said before cannot match any more. `verify: console` wants a first byte on a
    console; `auto` wants it, too, when the switch read as off and a console has said something
    before in this run.

    Example::

        - power_on:
        - power_on: {device: pdu, verify: none}
    """

    verify: Literal["auto", "state", "console", "none"] = arg(
        default="auto",
        help="state: the switch must read back as on; console: the board must say something; "
        "auto: what this bench can",
    )
    within: Duration = arg(
        default=Duration("30s"),
        help="how long the switch may take to answer and to read back, and the board to say something",
    )
    power: Power = device(help="the switch in the board's supply")
    consoles: tuple[Console, ...] = device(every=True, help="they learn that the board starts anew")

    def run(self, context: Context) -> SwitchedOn:
        """Switch on and confirm it."""
        if self.verify == "console" and not self.consoles:
            raise RecipeFault(f"bench {context.bench!r} has no console that could verify the power")
        outlet = Outlet(self.power, context, within=self.within)
        witnesses = Witnesses(self.consoles, outlet, context)
        talks = witnesses.known_to_talk
        previous = outlet.state_before("none" if self.verify == "console" else self.verify)
        before = witnesses.mark()
        outlet.turn("on")
        state = outlet.confirm("on") if previous else None
        if self.verify == "console" or (self.verify == "auto" and previous == "off" and talks):
            witnesses.hear_first_byte(before, self.within)
        return SwitchedOn(previous=previous, state=state)

    def predict(self, context: Context) -> str:
        """Read the switch, and say whether this would change anything."""
        return Outlet(self.power, context, within=self.within).would_turn("on")
