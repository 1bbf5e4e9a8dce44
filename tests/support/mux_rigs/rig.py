"""A driver of a storage mux on a bench of the tests: what it can do, and how its peer is made to misbehave."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
from support.power_rigs.rig import Opener, RealTime

from runner.api import MuxPosition, StorageMux

__all__ = ["MakeRig", "Muxed", "Opener", "Rig"]


@dataclass(frozen=True, kw_only=True)
class Rig:
    """A mux that is open and at `dut`, or wherever it begins; its peer is there.

    `positions`: those that it has. `follows`: whether the medium comes and goes with the position.
    The last four as in the rigs of power switches.
    """

    mux: StorageMux
    positions: tuple[MuxPosition, ...]
    readable: bool = True
    follows: bool = True
    named: str = ""
    stick: Callable[[], None] | None = None
    refuse: Callable[[], None] | None = None
    stall: Callable[[], None] | None = None
    vanish: Callable[[], None] | None = None


MakeRig = Callable[[pytest.FixtureRequest, Opener], Rig]


class Muxed(RealTime):
    """The context of a step that has the device `card`."""

    devices: Mapping[str, str] = {"mux": "card"}
