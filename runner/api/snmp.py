"""Managed objects: what modules ask of an SNMP agent (RFC 3411, RFC 3416)."""

from __future__ import annotations

import abc
import re
from collections.abc import Iterator, Sequence
from typing import Literal

from runner.api.interfaces import Interface
from runner.api.misfit import Misfit
from runner.api.module import Result
from runner.api.verdicts import RecipeFault

ObjectType = Literal[
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
    "null",
]
"""The types of RFC 2578, section 7.1. Octets that are no text are `hex`; Gauge32 is `unsigned`."""

_OID = re.compile(r"\.?[0-2](\.\d{1,10})+")


class ManagedObject(Result):
    """One object of an agent, as it was read."""

    oid: str
    """In numbers with dots between, without one at the beginning."""
    type: ObjectType
    value: int | str
    """A number; text; pairs of hexadecimal digits for `hex` and `opaque`."""


class ManagedObjects(Interface):
    """The objects of an SNMP agent, read and written by their numeric identifiers (OIDs)."""

    @abc.abstractmethod
    def get(self, oids: Sequence[str]) -> tuple[ManagedObject, ...]:
        """Read objects with one request; raise Unsupported when the agent has one of them not."""

    @abc.abstractmethod
    def set(self, objects: Sequence[ManagedObject]) -> None:
        """Write objects with one request, all or none; raise LabError when the agent refuses."""

    @abc.abstractmethod
    def following(self, oid: str, most: int) -> tuple[ManagedObject, ...]:
        """Read up to `most` objects that come after `oid` in the agent's order; none at its end."""

    @abc.abstractmethod
    def agent(self) -> str:
        """Return the agent's address, for messages."""


def is_oid(text: str) -> bool:
    """Tell whether a text is an object identifier in numbers.

    >>> is_oid("1.3.6.1.2.1.1.3.0"), is_oid("sysUpTime.0")
    (True, False)
    """
    return _OID.fullmatch(text) is not None


def plain_oid(text: str) -> str:
    """Return an object identifier without a dot at its beginning; raise RecipeFault for what is none.

    >>> plain_oid(".1.3.6.1")
    '1.3.6.1'
    """
    if not is_oid(text):
        raise RecipeFault(f"{text!r} is no object identifier", hint="write numbers: 1.3.6.1.2.1.1.3.0")
    return text.removeprefix(".")


def oid_misfits(written: str | Sequence[str]) -> Iterator[Misfit]:
    """Say which of the identifiers in an argument `oid` are none."""
    several = (
        [("oid", written)] if isinstance(written, str) else [(f"oid.{n}", o) for n, o in enumerate(written)]
    )
    for place, oid in several:
        if not is_oid(oid):
            yield Misfit(place, f"{oid!r} is no OID in numbers", "as 1.3.6.1.2.1.1.3.0")
