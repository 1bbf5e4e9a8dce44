"""The card of the simulated Raspberry Pi, as a rig of the contract."""

from __future__ import annotations

import pytest
from support.mux_rigs.rig import Opener, Rig

from runner.modules.sim.card import CardFault
from runner.modules.sim.sim_rpi4 import SimRpi4


def card(_: pytest.FixtureRequest, opened: Opener) -> Rig:
    driver = SimRpi4()
    opened(driver)
    mux = driver.storage()

    def becomes(fault: CardFault) -> None:
        mux.fault = fault

    return Rig(
        mux=mux,
        positions=("host", "dut", "off"),
        named="the simulated board's card",
        stick=lambda: becomes("stuck"),
        refuse=lambda: becomes("refuses"),
    )
