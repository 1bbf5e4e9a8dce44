"""Outlets of a power distribution unit that is switched over SNMP."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runner.api import (
    Driver,
    LabError,
    Misfit,
    Power,
    PowerReading,
    PowerState,
    PowerVerb,
    Unsupported,
    arg,
)
from runner.api.snmp import ManagedObject, is_oid
from runner.modules.snmp.options import PRESETS, Meter, Objects, Preset, Readings, StateValues, Values
from runner.modules.snmp.outlets import outlet_numbers, spoken
from runner.modules.snmp.snmp_agent import SnmpAgent


class Snmp(SnmpAgent, Driver, Power):
    """An outlet of a power distribution unit, or several that feed one board, over SNMP.

    The unit's agent can also be asked by snmp_get, snmp_set and snmp_walk.

    The presets are those of the makers' MIBs: `raritan` (PDU2-MIB, the first unit of a chain), `apc`
    (PowerNet-MIB, rPDUOutletControl) and `apc2` (rPDU2OutletSwitchedControl). They were tried with
    net-snmp's agent in their place, and not with the units themselves. Any other unit is
    `preset: custom` with its own `oid` and `values`; to each `oid` the outlet's number is added.

    Several outlets are switched by one request. They read as on when all are on, and, after they
    were switched off, as off when all are off.

    Example::

        devices:
          power:
            driver: snmp
            host: pdu1.lab
            preset: apc2
            outlet: [3, 4]
            user: lab
            auth_protocol: sha256
            auth_key: !env PDU_AUTH_KEY
            priv_protocol: aes128
            priv_key: !env PDU_PRIV_KEY
    """

    outlet: int | str | list[int] = arg(help="its number; several that are switched together: [3, 4], 3-4")
    preset: Preset = arg(default="custom", help="where the unit has its outlets; custom: see oid and values")
    oid: str = arg(default="", help="the object that switches; empty: the preset's")
    values: Values | None = arg(default=None, help="what is written to it; null: the preset's")
    state_oid: str = arg(default="", help="the object that reads the state; empty: the preset's, or none")
    state_values: StateValues | None = arg(
        default=None, help="what that reads; null: the preset's, or as values"
    )
    readings: Readings = arg(default=Readings(), help="what the unit measures for this outlet")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say what is missing, too much, or no OID."""
        yield from super().misfits(given)
        try:
            outlet_numbers(given.get("outlet", 1))
        except ValueError as error:
            yield Misfit("outlet", str(error))
        if given.get("preset") == "custom":
            for name in ("oid", "values"):
                if name in given and not given[name]:
                    yield Misfit(name, f"preset custom needs {name}", "or is it one of raritan, apc, apc2?")
        for name in ("oid", "state_oid"):
            if given.get(name) and not is_oid(given[name]):
                yield Misfit(name, f"{given[name]!r} is no OID in numbers, as 1.3.6.1.4.1")

    def open(self) -> None:
        """Look the host up; raise Unreachable when there is none."""
        self._outlets = outlet_numbers(self.outlet)
        self._objects = self._found()
        self._wanted: PowerState = "on"
        super().open()

    def on(self) -> None:
        """Write the value for on."""
        self._wanted = "on"
        self._write(self._objects.values.on)

    def off(self) -> None:
        """Write the value for off."""
        self._wanted = "off"
        self._write(self._objects.values.off)

    def cycle(self) -> None:
        """Write the value for a cycle, once: a request that is lost on its way back is not sent again."""
        value = self._objects.values.cycle
        if value is None:
            raise Unsupported(f"{self.label()} has no value for a cycle", hint="values: {cycle: …} names it")
        self._wanted = "on"
        self._write(value, once=True)

    def state(self) -> PowerState | None:
        """Read the state of every outlet; None when there is no object for it.

        While some are on and some off they read as what was not asked for.
        """
        if not self._objects.state_oid:
            return None
        found = {self._state_of(each) for each in self.get(self._addressed(self._objects.state_oid))}
        if len(found) > 1:
            return "off" if self._wanted == "on" else "on"
        return found.pop()

    def read(self) -> PowerReading | None:
        """Read the meters; None when none is named."""
        meters = {
            name: meter for name in ("voltage", "current", "power") if (meter := getattr(self.readings, name))
        }
        if not meters:
            return None
        found = self.get([meter.oid for meter in meters.values()])
        measured = zip(meters.items(), found, strict=True)
        return PowerReading(**{name: self._measured(meter, each) for (name, meter), each in measured})

    def capabilities(self) -> tuple[PowerVerb, ...]:
        """Return cycle where there is a value for it."""
        return () if self._objects.values.cycle is None else ("cycle",)

    def label(self) -> str:
        """Return the outlets and the agent's address."""
        return f"{spoken(outlet_numbers(self.outlet))} of {self.agent()}"

    def _found(self) -> Objects:
        """Return the preset with what the options say instead."""
        preset = PRESETS.get(self.preset)
        if preset is None:
            values = self._custom_values()
            return Objects(
                oid=self.oid,
                values=values,
                state_oid=self.state_oid,
                state_values=self.state_values or StateValues(on=values.on, off=values.off),
            )
        return Objects(
            oid=self.oid or preset.oid,
            values=self.values or preset.values,
            state_oid=self.state_oid or preset.state_oid,
            state_values=self.state_values or preset.state_values,
        )

    def _custom_values(self) -> Values:
        if self.values is None or not self.oid:
            raise LabError(f"{self.label()}: preset custom needs oid and values")
        return self.values

    def _addressed(self, oid: str) -> list[str]:
        return [f"{oid.removeprefix('.')}.{outlet}" for outlet in self._outlets]

    def _write(self, value: int, *, once: bool = False) -> None:
        oids = self._addressed(self._objects.oid)
        self._client.set([ManagedObject(oid=oid, type="integer", value=value) for oid in oids], once=once)

    def _state_of(self, found: ManagedObject) -> PowerState:
        values = self._objects.state_values
        if found.value == values.on:
            return "on"
        if found.value in (values.off, self._cycling()):
            return "off"
        raise LabError(
            f"{self.agent()} reads {found.value!r} ({found.type}) at {found.oid}, "
            f"expected {values.on} (on) or {values.off} (off)",
            evidence={"agent": self.agent(), "oid": found.oid, "actual": found.value},
            hint="'state_values' says what the state reads",
        )

    def _cycling(self) -> int | None:
        """Return what an object that switches and reads at once says during a cycle: it is not on yet."""
        objects = self._objects
        return objects.values.cycle if objects.state_oid == objects.oid else None

    def _measured(self, meter: Meter, found: ManagedObject) -> float:
        try:
            return float(found.value) * meter.scale
        except ValueError as error:
            raise LabError(
                f"{self.agent()} reads {found.value!r} ({found.type}) at {found.oid}, expected a number",
                evidence={"agent": self.agent(), "oid": found.oid, "actual": found.value},
            ) from error
