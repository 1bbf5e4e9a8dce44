"""Making sure that a power switch has done what it was told; for modules that switch."""

from __future__ import annotations

import time
from typing import Literal

from runner.api.context import Context
from runner.api.interfaces import Power, PowerState
from runner.api.values import Duration
from runner.api.verdicts import LabError, Unsupported

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0


def state_before(power: Power, verify: Literal["auto", "state", "none"], name: str) -> PowerState | None:
    """Read the switch before anything is done; None when it is not to be read or cannot be.

    Raise Unsupported when its state must be verified and it cannot tell. `name`: what to call it.
    """
    state = None if verify == "none" else power.state()
    if state is None and verify == "state":
        raise Unsupported(f"{name} cannot read its state back", hint="write verify: auto")
    return state


def confirm(power: Power, wanted: PowerState, context: Context, *, within: Duration, name: str) -> PowerState:
    """Read the switch back until it says `wanted`; raise LabError when it does not until `within` is over."""
    end = time.monotonic() + within
    pause = _FIRST_PAUSE
    while (state := power.state()) != wanted:
        if time.monotonic() + pause > end:
            raise LabError(
                f"{name} still reads {state or 'nothing'}, {within} after it was switched {wanted}",
                evidence={"expected": wanted, "actual": state, "within": float(within)},
                hint="does its relay work, and does something else switch this outlet?",
            )
        context.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
    return wanted


def outlet(context: Context, slot: str) -> str:
    """Return what to call the switch in the slot of a module: the device's name, and the bench.

    Messages name it, so that a wrong or a broken outlet is found.
    """
    return f"{context.devices.get(slot, slot)!r} on bench {context.bench!r}"
