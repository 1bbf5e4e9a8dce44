"""Switch a board on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from runner.api import Context, Duration, Misfit, Module, Power, PowerState, RecipeFault, Result, arg, device
from runner.api.switching import Outlet, Verified, verified
from runner.console import Console, Witnesses


class SwitchedOn(Result):
    """How the switch reads, None where it cannot tell; and what made sure that the board has power."""

    previous: PowerState | None
    state: PowerState | None
    verified: Verified


class PowerOn(Module):
    """Switch the board's power on and read the switch back.

    What the consoles said before cannot match any more. `verify: console` wants a first byte on a
    console; `auto` wants it, too, when the switch read as off and a console has said something
    before in this run.

    Example::

        - power_on:
        - power_on: {device: pdu, verify: none}
        - power_on: {rescue: true}
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
    force: bool = arg(
        default=False, help="past what keeps it off, as a long press does; not every switch can"
    )
    rescue: bool = arg(default=False, help="into the board's rescue mode; few switches lead there")
    power: Power = device(help="the switch in the board's supply")
    consoles: tuple[Console, ...] = device(every=True, help="they learn that the board starts anew")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Refuse what can only be done one at a time."""
        if given.get("force") and given.get("rescue"):
            yield Misfit("rescue", "'force' and 'rescue' exclude one another", "leave one of them out")

    def run(self, context: Context) -> SwitchedOn:
        """Switch on and confirm it."""
        if self.verify == "console" and not self.consoles:
            raise RecipeFault(f"bench {context.bench!r} has no console that could verify the power")
        outlet = Outlet(self.power, context, within=self.within)
        witnesses = Witnesses(self.consoles, outlet, context)
        talks = witnesses.known_to_talk
        previous = outlet.state_before("none" if self.verify == "console" else self.verify)
        before = witnesses.mark()
        self._switch(outlet)
        state = outlet.confirm("on") if previous else None
        awaited = self.verify == "console" or (self.verify == "auto" and previous == "off" and talks)
        if awaited:
            witnesses.hear_first_byte(before, self.within)
        return SwitchedOn(
            previous=previous, state=state, verified=verified(state=state is not None, console=awaited)
        )

    def predict(self, context: Context) -> str:
        """Read the switch, and say whether this would change anything."""
        outlet = Outlet(self.power, context, within=self.within)
        if self.rescue:
            outlet.refuse_without("rescue")
            return f"would start the rescue mode by {outlet.name}: {outlet.told_state()}"
        if self.force:
            outlet.refuse_without("force_on")
            return f"would force on {outlet.name}: {outlet.told_state()}"
        return outlet.would_turn("on")

    def _switch(self, outlet: Outlet) -> None:
        if self.rescue:
            outlet.rescue()
        elif self.force:
            outlet.force("on")
        else:
            outlet.turn("on")
