"""What can be said about a switched outlet in an inventory: its objects, their values, its meters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal

from runner.api import Misfit, Options, arg
from runner.api.snmp import is_oid

Preset = Literal["raritan", "apc", "apc2", "custom"]


class Values(Options):
    """The numbers that switch an outlet."""

    on: int = arg(help="switches it on")
    off: int = arg(help="switches it off")
    cycle: int | None = arg(default=None, help="makes the unit itself switch it off and on; null: it cannot")


class StateValues(Options):
    """The numbers that an outlet's state reads."""

    on: int = arg(help="it is on")
    off: int = arg(help="it is off")


class Meter(Options):
    """An object that holds a measured number."""

    oid: str = arg(primary=True, help="the whole identifier of the object")
    scale: float = arg(default=1.0, help="what the number is multiplied with, to have V, A or W")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say that it is no OID."""
        if not is_oid(given["oid"]):
            yield Misfit("oid", f"{given['oid']!r} is no OID in numbers, as 1.3.6.1.4.1")


class Readings(Options):
    """What the unit measures for this outlet."""

    voltage: Meter | None = arg(default=None, help="in volts")
    current: Meter | None = arg(default=None, help="in amperes")
    power: Meter | None = arg(default=None, help="in watts")


class Objects(Options):
    """Where a family of units has its outlets: the number of an outlet follows each identifier."""

    oid: str = arg(help="the object that switches")
    values: Values = arg(help="what is written to it")
    state_oid: str = arg(help="the object that reads the state; empty: none")
    state_values: StateValues = arg(help="what that reads")


PRESETS: Mapping[str, Objects] = MappingProxyType(
    {
        # PDU2-MIB: switchingOperation and outletSwitchingState of the first unit
        "raritan": Objects(
            oid="1.3.6.1.4.1.13742.6.4.1.2.1.2.1",
            values=Values(on=1, off=0, cycle=2),
            state_oid="1.3.6.1.4.1.13742.6.4.1.2.1.3.1",
            state_values=StateValues(on=7, off=8),
        ),
        # PowerNet-MIB: rPDUOutletControlOutletCommand, which also reads the state
        "apc": Objects(
            oid="1.3.6.1.4.1.318.1.1.12.3.3.1.1.4",
            values=Values(on=1, off=2, cycle=3),
            state_oid="1.3.6.1.4.1.318.1.1.12.3.3.1.1.4",
            state_values=StateValues(on=1, off=2),
        ),
        # PowerNet-MIB: rPDU2OutletSwitchedControlCommand, which also reads the state
        "apc2": Objects(
            oid="1.3.6.1.4.1.318.1.1.26.9.2.4.1.5",
            values=Values(on=1, off=2, cycle=3),
            state_oid="1.3.6.1.4.1.318.1.1.26.9.2.4.1.5",
            state_values=StateValues(on=1, off=2),
        ),
    }
)
