"""Write a managed object of an SNMP agent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from runner.api import Context, Misfit, Module, Result, Unsupported, arg, device
from runner.api.snmp import ManagedObject, ManagedObjects, ObjectType, oid_misfits, plain_oid

WrittenType = Literal[
    "auto",
    "integer",
    "unsigned",
    "counter32",
    "counter64",
    "timeticks",
    "string",
    "hex",
    "oid",
    "ipaddress",
    "opaque",
]


class SnmpWritten(Result):
    """What the object read before and after; None where it cannot be read."""

    oid: str
    type: ObjectType
    before: int | str | None
    after: int | str | None
    changed: bool
    """Whether it reads differently than before; True when it cannot be read."""


class SnmpSet(Module):
    """Write a managed object of an SNMP agent, and read it before and after.

    What it reads afterwards need not be what was written (an outlet that is told to restart reads
    as on): `expect` says what is wanted.

    Example::

        - snmp_set: {oid: 1.3.6.1.2.1.1.6.0, value: shelf 4}
          expect: result.after == 'shelf 4'
        - snmp_set: {oid: 1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.7, type: integer, value: 3}
    """

    oid: str = arg(primary=True, help="the object's identifier, in numbers")
    value: int | str = arg(help="what to write; hex: pairs of hexadecimal digits")
    type: WrittenType = arg(default="auto", help="the type of the value; auto: the one that the object has")
    snmp: ManagedObjects = device(help="the agent")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say that something is no OID."""
        return oid_misfits(given.get("oid", ()))

    def run(self, context: Context) -> SnmpWritten:
        """Read, write, read."""
        oid = plain_oid(self.oid)
        before = self._read(oid, needed=self.type == "auto")
        kind = self._kind(before)
        self.snmp.set([ManagedObject(oid=oid, type=kind, value=self.value)])
        after = self._read(oid, needed=False)
        was = None if before is None else before.value
        now = None if after is None else after.value
        context.log(f"{oid} was {was!r} and is {now!r}")
        return SnmpWritten(
            oid=oid, type=kind, before=was, after=now, changed=before is None or after is None or was != now
        )

    def predict(self, context: Context) -> str:
        """Read the object, and say whether this would change it."""
        context.check_cancelled()
        found = self._read(plain_oid(self.oid), needed=self.type == "auto")
        if found is None:
            return f"would set {self.oid}, which cannot be read, to {self.value!r}"
        if found.value == self.value:
            return f"{self.oid} is {self.value!r} already: nothing would change"
        return f"would set {self.oid} from {found.value!r} to {self.value!r}"

    def _kind(self, before: ManagedObject | None) -> ObjectType:
        if self.type != "auto":
            return self.type
        kind: ObjectType = before.type if before is not None else "integer"
        return "string" if kind == "hex" else kind

    def _read(self, oid: str, *, needed: bool) -> ManagedObject | None:
        """Read it; None for an object that can only be written, unless its type is needed."""
        try:
            return self.snmp.get([oid])[0]
        except Unsupported:
            if needed:
                raise
            return None
