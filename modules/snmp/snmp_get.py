"""Read managed objects of an SNMP agent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runner.api import Context, Misfit, Module, Result, arg, device
from runner.api.snmp import ManagedObject, ManagedObjects, oid_misfits, plain_oid


class SnmpRead(Result):
    """What was read: the value of the first object, every value by its identifier, and the types."""

    value: int | str
    values: dict[str, int | str]
    objects: tuple[ManagedObject, ...]


class SnmpGet(Module):
    """Read managed objects of an SNMP agent, with one request.

    Identifiers are numeric. Octets that are no text come as pairs of hexadecimal digits.

    Example::

        - snmp_get: 1.3.6.1.2.1.1.5.0
          expect: result.value == 'switch1'
        - snmp_get: [1.3.6.1.2.1.2.2.1.8.1, 1.3.6.1.2.1.2.2.1.8.2]
          expect: result.values['1.3.6.1.2.1.2.2.1.8.2'] == 1
    """

    reads_only = True

    oid: str | list[str] = arg(primary=True, help="the object's identifier, or several")
    snmp: ManagedObjects = device(help="the agent")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say that something is no OID."""
        return oid_misfits(given.get("oid", ()))

    def run(self, context: Context) -> SnmpRead:
        """Read them."""
        oids = [plain_oid(oid) for oid in ([self.oid] if isinstance(self.oid, str) else self.oid)]
        objects = self.snmp.get(oids)
        for each in objects:
            context.log(f"{each.oid} is {each.type} {each.value}", level="debug")
        return SnmpRead(
            value=objects[0].value, values={each.oid: each.value for each in objects}, objects=objects
        )
