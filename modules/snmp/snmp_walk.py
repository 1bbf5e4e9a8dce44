"""Read a part of an SNMP agent's tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runner.api import Context, LabError, Misfit, Module, Result, arg, device
from runner.api.snmp import ManagedObject, ManagedObjects, oid_misfits, plain_oid

_AT_ONCE = 20
"""Objects that are asked for with one request: an answer stays below 1500 bytes, mostly."""


class SnmpWalked(Result):
    """The objects below an identifier, in the agent's order."""

    values: dict[str, int | str]
    objects: tuple[ManagedObject, ...]
    complete: bool
    """False when there are more than were wanted."""


class SnmpWalk(Module):
    """Read every managed object below an identifier.

    Example::

        - snmp_walk: 1.3.6.1.2.1.2.2.1.8
          expect: result.values | length >= 4
    """

    reads_only = True

    oid: str = arg(primary=True, help="where to begin, in numbers; what is below it is read")
    most: int = arg(default=1000, help="how many objects are read at most", minimum=1)
    snmp: ManagedObjects = device(help="the agent")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say that something is no OID."""
        return oid_misfits(given.get("oid", ()))

    def run(self, context: Context) -> SnmpWalked:
        """Read on until something else comes."""
        root = plain_oid(self.oid)
        found: list[ManagedObject] = []
        last, ended = root, False
        while not ended and len(found) <= self.most:
            context.check_cancelled()
            following = self.snmp.following(last, _AT_ONCE)
            below = [each for each in following if each.oid.startswith(f"{root}.")]
            self._check_order(last, below)
            found += below
            ended = len(below) < len(following) or not following
            last = found[-1].oid if found else root
        kept = tuple(found[: self.most])
        return SnmpWalked(
            values={each.oid: each.value for each in kept}, objects=kept, complete=len(found) <= self.most
        )

    def _check_order(self, last: str, found: list[ManagedObject]) -> None:
        """Raise LabError when an agent goes back: it would be walked for ever."""
        before = _numbers(last)
        for each in found:
            if _numbers(each.oid) <= before:
                raise LabError(
                    f"{self.snmp.agent()} answers {each.oid} after {last}: its objects do not count up",
                    evidence={"agent": self.snmp.agent(), "oid": each.oid, "after": last},
                )
            before = _numbers(each.oid)


def _numbers(oid: str) -> tuple[int, ...]:
    return tuple(map(int, oid.split(".")))
