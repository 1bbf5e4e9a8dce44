"""Get to the U-Boot prompt."""

from __future__ import annotations

from typing import Literal

from runner.api import Context, Duration, Module, Power, RecipeFault, arg, device
from runner.api.switching import Clock, Outlet
from runner.console import Console, Entered, Interrupt, Witnesses


class UbootEnter(Module):
    """Start the board, stop autoboot, and have the U-Boot prompt prove itself.

    The console's settings say which keys and prompts the board has, and whether it is barebox or
    GRUB. `result.boot` has the times of the stages, from the moment of switching on.

    Example::

        - uboot_enter: {within: 20s}
          measure: {time_to_uboot: {value: result.boot.uboot, unit: s, max: 2}}
        - uboot_enter: {power: none, interrupt: {mode: prompt, keys: " "}}
    """

    limited_by = "within"
    takes_power = True

    power: Literal["cycle", "on", "none"] = arg(
        default="cycle", help="how the board is started; none: by itself, or it is at the prompt already"
    )
    off_time: Duration = arg(default=Duration("2s"), help="how long it stays off, with power: cycle")
    interrupt: Interrupt | None = arg(
        default=None, help="how autoboot is stopped; left out: as the console's settings say"
    )
    within: Duration = arg(
        default=Duration("30s"), primary=True, help="how long until the prompt answers, with switching"
    )
    console: Console = device(help="the console with U-Boot")
    supply: Power | None = device(optional=True, help="the switch in the board's supply")
    others: tuple[Console, ...] = device(every=True, help="they learn that the board starts anew")

    def run(self, context: Context) -> Entered:
        """Switch, and send keys at once."""
        clock = Clock(context)
        if self.power != "none":
            self._start(clock, context)
        return self.console.enter_uboot(context, within=self._left(clock), interrupt_by=self.interrupt)

    def _start(self, clock: Clock, context: Context) -> None:
        if self.supply is None:
            raise RecipeFault(
                f"bench {context.bench!r} has no power device that could start the board",
                hint="write power: none, and start it in another way",
            )
        outlet = Outlet(self.supply, context, within=self._left(clock), slot="supply")
        witnesses = Witnesses(tuple(dict.fromkeys((self.console, *self.others))), outlet, context)
        if self.power == "cycle":
            self._switch_off(outlet, witnesses)
        witnesses.mark()
        outlet.turn("on")

    def _switch_off(self, outlet: Outlet, witnesses: Witnesses) -> None:
        readable = outlet.state_before("auto") is not None
        outlet.turn("off")
        if readable:
            outlet.confirm("off")
        witnesses.stay_off(self.off_time, silent=True)

    def _left(self, clock: Clock) -> Duration:
        return Duration(max(0.0, self.within - clock.elapsed))
