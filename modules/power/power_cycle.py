"""Take a board's power away, wait, give it back, and make sure that all this happened."""

from __future__ import annotations

from typing import Literal

from runner.api import Context, Duration, Module, Power, PowerState, RecipeFault, Result, arg, device
from runner.api.switching import Outlet
from runner.console import Console, Witnesses

Verified = Literal["state", "console", "state and console", "none"]


class Cycled(Result):
    """What the switch read before and after, and what made sure that the power was gone and is back."""

    previous: PowerState | None
    state: PowerState | None
    verified: Verified


class PowerCycle(Module):
    """Switch the board's power off, wait, and switch it on again.

    `verify: state` reads the switch back, again and again until `within` is over. `verify: console`
    wants silence on every console while the board is off, and a first byte once it is on. `auto`
    does what this bench can: it reads the switch back if it can be read, wants silence if there is a
    console, and a first byte if a console has said something before in this run.

    A stuck relay, the wrong outlet, a board that is fed through its console, a switch that answers
    with an error or not at all: each is an error of the lab that names the outlet.

    Example::

        - power_cycle:
        - power_cycle: {off_time: 10s, verify: console}
    """

    takes_power = True

    off_time: Duration = arg(default=Duration("2s"), primary=True, help="how long it stays off")
    verify: Literal["auto", "state", "console", "none"] = arg(
        default="auto", help="what makes sure that the power was gone and is back"
    )
    within: Duration = arg(
        default=Duration("30s"),
        help="how long the switch may take to answer and to read back, and the board to say something",
    )
    power: Power = device(help="the switch in the board's supply")
    consoles: tuple[Console, ...] = device(every=True, help="they learn that the board starts anew")

    def run(self, context: Context) -> Cycled:
        """Switch off, wait, switch on."""
        if self.verify == "console" and not self.consoles:
            raise RecipeFault(f"bench {context.bench!r} has no console that could verify the power")
        outlet = Outlet(self.power, context, within=self.within)
        witnesses = Witnesses(self.consoles, outlet, context)
        awaited = self.verify == "console" or (self.verify == "auto" and witnesses.known_to_talk)
        previous = outlet.state_before("none" if self.verify == "console" else self.verify)
        outlet.turn("off")
        if previous:
            outlet.confirm("off")
        witnesses.stay_off(self.off_time, silent=self.verify in ("auto", "console"))
        before = witnesses.mark()
        outlet.turn("on")
        state = outlet.confirm("on") if previous else None
        if awaited:
            witnesses.hear_first_byte(before, self.within)
        return Cycled(previous=previous, state=state, verified=self._verified(previous))

    def _verified(self, previous: PowerState | None) -> Verified:
        listened = bool(self.consoles) and self.verify in ("auto", "console")
        if previous:
            return "state and console" if listened else "state"
        return "console" if listened else "none"
