"""A power driver on a bench of the tests: what it can do, and how its peer is made to misbehave."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
from support.plain_context import PlainContext

from runner.api import Driver, Duration, Power

Opener = Callable[[Driver], None]
"""Opens a driver, and closes it when the test has ended."""


@dataclass(frozen=True, kw_only=True)
class Rig:
    """A switch that is open, readable or not, and off; its peer is there.

    Each of the last four, where the peer can be made to do it, counts from its call on: the relay
    keeps its position and everything is answered well (`stick`); every order is answered with an
    error (`refuse`); nothing is answered for longer than any test waits (`stall`); nobody is there
    any more (`vanish`). `named`: what every error then has to name, as an address or an outlet.
    """

    power: Power
    readable: bool = True
    named: str = ""
    stick: Callable[[], None] | None = None
    refuse: Callable[[], None] | None = None
    stall: Callable[[], None] | None = None
    vanish: Callable[[], None] | None = None


MakeRig = Callable[[pytest.FixtureRequest, Opener], Rig]
"""How a rig is made; daemons that several tests share are fixtures, asked for with getfixturevalue."""


class RealTime(PlainContext):
    """The context of a step that has the device `pdu`; its clock is the real one."""

    bench = "rack-1"
    devices: Mapping[str, str] = {"power": "pdu"}

    def __init__(self, limit: float = 60.0) -> None:
        super().__init__()
        self._until = time.monotonic() + limit

    @property
    def left(self) -> Duration:
        return Duration(max(0.0, self._until - time.monotonic()))
