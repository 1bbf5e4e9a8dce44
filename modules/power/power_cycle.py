"""Take a board's power away, wait, give it back, and make sure that all this happened."""

from __future__ import annotations

import time
from typing import Literal

from runner.api import (
    Context,
    Duration,
    LabError,
    Module,
    Power,
    PowerState,
    RecipeFault,
    Result,
    arg,
    device,
)
from runner.api.switching import confirm, outlet, state_before
from runner.console import Console

_DYING = 0.5
"""Seconds in which a board may still say something after its power is gone."""
_LISTEN = 0.02


class Cycled(Result):
    """What the switch read before and after, and what made sure that the power was gone."""

    previous: PowerState | None
    state: PowerState | None
    verified: Literal["state", "console", "none"]


class PowerCycle(Module):
    """Switch the board's power off, wait, and switch it on again.

    `verify: state` reads the switch back. `verify: console` wants silence on every console while
    the board is off, and a first byte once it is on. `auto` reads the switch back if it can be
    read, and otherwise wants silence only.

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
        default=Duration("15s"),
        help="how long the switch may take to read back, and the board until it says something",
    )
    power: Power = device(help="the switch in the board's supply")
    consoles: tuple[Console, ...] = device(every=True, help="they learn that the board starts anew")

    def run(self, context: Context) -> Cycled:
        """Switch off, wait, switch on."""
        if self.verify == "console" and not self.consoles:
            raise RecipeFault(f"bench {context.bench!r} has no console that could verify the power")
        name = outlet(context, "power")
        reading = "none" if self.verify == "console" else self.verify
        previous = state_before(self.power, reading, name)
        self.power.off()
        if previous:
            confirm(self.power, "off", context, within=self.within, name=name)
        self._stay_off(context, silent=self.verify == "console" or (self.verify == "auto" and not previous))
        before = self._positions()
        for console in self.consoles:
            console.power_mark()
        self.power.on()
        if self.verify == "console":
            self._wait_for_a_byte(before, context)
        state = confirm(self.power, "on", context, within=self.within, name=name) if previous else None
        return Cycled(previous=previous, state=state, verified=self._verified(previous))

    def _stay_off(self, context: Context, *, silent: bool) -> None:
        dying = min(_DYING, self.off_time / 2)
        context.sleep(dying)
        before = self._positions()
        context.sleep(self.off_time - dying)
        talked = sum(self._positions()) - sum(before)
        if silent and talked:
            raise LabError(
                f"{outlet(context, 'power')} is switched off, but the board goes on talking",
                evidence={"bytes": talked, "off_time": float(self.off_time)},
                hint="is this the board's outlet, and is the board not fed through its console or USB?",
            )

    def _wait_for_a_byte(self, before: list[int], context: Context) -> None:
        end = time.monotonic() + self.within
        while self._positions() == before:
            if time.monotonic() > end:
                raise LabError(
                    f"{outlet(context, 'power')} is switched on, but no console said anything "
                    f"within {self.within}",
                    evidence={"within": float(self.within)},
                    hint="is this the board's outlet, and are its consoles connected?",
                )
            context.sleep(_LISTEN)

    def _positions(self) -> list[int]:
        return [console.position() for console in self.consoles]

    def _verified(self, previous: PowerState | None) -> Literal["state", "console", "none"]:
        if previous:
            return "state"
        return "console" if self.consoles and self.verify != "none" else "none"
