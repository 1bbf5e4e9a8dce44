"""Take a board's power away, wait, give it back, and make sure that all this happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from runner.api import Context, Duration, Misfit, Module, Power, PowerState, RecipeFault, Result, arg, device
from runner.api.switching import Clock, Outlet, Unverified, Verified, verified
from runner.console import Console, Witnesses

_OFF_TIME = Duration("2s")


class Cycled(Result):
    """What the switch read before and after, and what made sure that the power was gone and is back."""

    previous: PowerState | None
    state: PowerState | None
    verified: Verified
    off_for: Duration | None = None
    """From the order to switch off to the order to switch on; None when the switch chose it."""
    unverified: tuple[str, ...] = ()
    """Why each cycle before this one did not count, see `retries`."""


class PowerCycle(Module):
    """Switch the board's power off, wait, and switch it on again.

    `verify: state` reads the switch back, again and again until `within` is over. `verify: console`
    wants silence on every console while the board is off, and a first byte once it is on. `auto`
    does what this bench can: it reads the switch back if it can be read, wants silence if there is a
    console, and a first byte if a console has said something before in this run.

    A stuck relay, the wrong outlet, a board that is fed through its console, a switch that answers
    with an error or not at all: each is an error of the lab that names the outlet.

    With `by_switch` the switch does it all by itself. When the power is gone nobody knows then, so
    only its return can be verified: the switch reads on, and the board says something.

    Example::

        - power_cycle:
        - power_cycle: {off_time: 10s, verify: console}
        - power_cycle: {by_switch: true, retries: 2}
    """

    takes_power = True

    off_time: Duration = arg(default=_OFF_TIME, primary=True, help="how long it stays off")
    verify: Literal["auto", "state", "console", "none"] = arg(
        default="auto", help="what makes sure that the power was gone and is back"
    )
    within: Duration = arg(
        default=Duration("30s"),
        help="how long the switch may take to answer and to read back, and the board to say something",
    )
    retries: int = arg(
        default=0, help="how often the whole cycle is tried again when it could not be verified", minimum=0
    )
    by_switch: bool = arg(default=False, help="let the switch do it, for a time that it chooses")
    on_delay: Duration = arg(default=Duration(0), help="how long to wait once it is on again")
    skip_if_off: bool = arg(default=False, help="leave it off when it is off; the switch must be readable")
    power: Power = device(help="the switch in the board's supply")
    consoles: tuple[Console, ...] = device(every=True, help="they learn that the board starts anew")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Refuse an off_time that nobody would keep."""
        if given.get("by_switch") and given.get("off_time", _OFF_TIME) != _OFF_TIME:
            yield Misfit("off_time", "with 'by_switch' the switch chooses the 'off_time'", "leave it out")

    def run(self, context: Context) -> Cycled:
        """Switch off, wait, switch on; all of it again when it could not be verified."""
        if self.verify == "console" and not self.consoles:
            raise RecipeFault(f"bench {context.bench!r} has no console that could verify the power")
        outlet = Outlet(self.power, context, within=self.within)
        if self.skip_if_off and outlet.state_before("state") == "off":
            context.log(f"{outlet.name} is off, and left so")
            return Cycled(previous="off", state="off", verified="state")
        unverified: list[str] = []
        while True:
            try:
                cycled = self._cycled(outlet, context, tuple(unverified))
            except Unverified as error:
                if len(unverified) == self.retries:
                    error.evidence["cycles"] = [*unverified, error.message]
                    raise
                unverified.append(error.message)
                told = f"cycle {len(unverified)} of {self.retries + 1} did not count: {error.message}"
                context.log(told, "warning")
            else:
                if self.on_delay:
                    context.sleep(self.on_delay)
                return cycled

    def predict(self, context: Context) -> str:
        """Read the switch, and say what this would do."""
        outlet = Outlet(self.power, context, within=self.within)
        if self.skip_if_off and outlet.state_before("state") == "off":
            return f"{outlet.name} is off, and would be left so"
        if self.by_switch:
            outlet.refuse_without("cycle")
            return f"would have the power cycled by {outlet.name}: {outlet.told_state()}"
        return f"would switch off {outlet.name} for {self.off_time}, and on again: {outlet.told_state()}"

    def _cycled(self, outlet: Outlet, context: Context, unverified: tuple[str, ...]) -> Cycled:
        witnesses = Witnesses(self.consoles, outlet, context)
        awaited = self.verify == "console" or (self.verify == "auto" and witnesses.known_to_talk)
        previous = outlet.state_before("none" if self.verify == "console" else self.verify)
        off_for, before = None, witnesses.positions
        if self.by_switch:
            before = witnesses.mark()
            outlet.cycle()
        else:
            off_for = self._taken_away(outlet, witnesses, context, readable=previous is not None)
            before = witnesses.mark()
            outlet.turn("on")
        state = outlet.confirm("on") if previous else None
        if awaited:
            witnesses.hear_first_byte(before, self.within)
        listened = bool(self.consoles) and self.verify in ("auto", "console")
        return Cycled(
            previous=previous,
            state=state,
            verified=verified(state=state is not None, console=awaited if self.by_switch else listened),
            off_for=off_for,
            unverified=unverified,
        )

    def _taken_away(
        self, outlet: Outlet, witnesses: Witnesses, context: Context, *, readable: bool
    ) -> Duration:
        """Switch off and wait; return how long it was off."""
        clock = Clock(context)
        outlet.turn("off")
        if readable:
            outlet.confirm("off")
        witnesses.stay_off(self.off_time, silent=self.verify in ("auto", "console"))
        return Duration(clock.elapsed)
