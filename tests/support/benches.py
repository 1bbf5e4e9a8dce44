"""Benches and drivers that are made for a test; nothing is behind them."""

from __future__ import annotations

from collections.abc import Mapping

from runner.declaration import DriverType
from runner.document import Node
from runner.errors import Location
from runner.loader import loads
from runner.model import Bench, Definition, Device, Host


def bench(
    name: str = "b1",
    *,
    labels: Mapping[str, str] | None = None,
    devices: Mapping[str, DriverType | str] | None = None,
    **variables: object,
) -> Bench:
    """Make a bench; a device that is text is an alias."""
    at = Location("lab.yaml", 3, 3)
    given = (
        {"board": driver(children={"power": "Power", "console": "Console"})} if devices is None else devices
    )
    return Bench(
        name=name,
        index=1,
        at=at,
        host=Host(name="localhost"),
        labels=labels or {},
        variables=tuple(
            Definition(name=each, node=node(str(value)), layer=f"bench {name}")
            for each, value in variables.items()
        ),
        devices={
            each: Device(name=each, at=at, ref=what)
            if isinstance(what, str)
            else Device(name=each, at=at, driver=what)
            for each, what in given.items()
        },
    )


def driver(*interfaces: str, children: Mapping[str, str] | None = None) -> DriverType:
    """Make a driver that offers these interfaces, and parts with one each."""
    return DriverType(
        name="pretended",
        summary="",
        interfaces=frozenset(interfaces),
        children={name: frozenset({each}) for name, each in (children or {}).items()},
        cls=object,
        path="",
        source="",
    )


def node(text: str) -> Node:
    """Make a node from YAML."""
    return loads(text, "lab.yaml")
