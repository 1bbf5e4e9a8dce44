"""Switch a board off."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal

from runner.api import Context, Duration, Module, Power, PowerState, RecipeFault, Result, arg, device
from runner.api.switching import Outlet, Verified, verified
from runner.console import Console, Witnesses


class SwitchedOff(Result):
    """How the switch reads, None where it cannot tell; and what made sure that the power is gone."""

    previous: PowerState | None
    state: PowerState | None
    verified: Verified


class PowerOff(Module):
    """Switch the board's power off and read the switch back.

    `verify: console` listens for `quiet` whether the board still talks; `auto` does not, because
    that takes its time.

    Example::

        - power_off:
        - power_off: {device: pdu, verify: state}
        - power_off: {force: true}
    """

    takes_power = True

    verify: Literal["auto", "state", "console", "none"] = arg(
        default="auto",
        help="state: the switch must read back as off; console: the board must say nothing; "
        "auto: as state, if it can be read",
    )
    within: Duration = arg(
        default=Duration("30s"), help="how long the switch may take to answer, and to read back as off"
    )
    quiet: Duration = arg(default=Duration("2s"), help="how long verify: console listens")
    force: bool = arg(default=False, help="past what keeps it on, as a long press does; not every switch can")
    power: Power = device(help="the switch in the board's supply")
    consoles: tuple[Console, ...] = device(every=True, help="they tell whether the board still talks")

    @classmethod
    def does_without(cls, given: Mapping[str, Any]) -> Collection[str]:
        """Leave out consoles that cannot be opened, unless they are to tell."""
        return () if given.get("verify") == "console" else ("consoles",)

    def run(self, context: Context) -> SwitchedOff:
        """Switch off and confirm it."""
        listens = self.verify == "console"
        if listens and not self.consoles:
            raise RecipeFault(f"bench {context.bench!r} has no console that could verify the power")
        outlet = Outlet(self.power, context, within=self.within)
        previous = outlet.state_before("none" if self.verify == "console" else self.verify)
        self._switch(outlet)
        state = outlet.confirm("off") if previous else None
        if listens:
            witnesses = Witnesses(self.consoles, outlet, context)
            witnesses.stay_off(self.quiet, silent=True)
            witnesses.refuse_deaf()
        return SwitchedOff(
            previous=previous, state=state, verified=verified(state=state is not None, console=listens)
        )

    def predict(self, context: Context) -> str:
        """Read the switch, and say whether this would change anything."""
        outlet = Outlet(self.power, context, within=self.within)
        if self.force:
            outlet.refuse_without("force_off")
            return f"would force off {outlet.name}: {outlet.told_state()}"
        return outlet.would_turn("off")

    def _switch(self, outlet: Outlet) -> None:
        if self.force:
            outlet.force("off")
        else:
            outlet.turn("off")
