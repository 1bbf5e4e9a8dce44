"""The outlet of the simulated board and the plug of a virtual machine, as rigs of the contract."""

from __future__ import annotations

import pytest
from support.peers import UBOOT
from support.power_rigs.rig import Opener, Rig

from runner.modules.machine.qemu import Qemu
from runner.modules.sim.sim import Sim


def sim(_request: pytest.FixtureRequest, opened: Opener) -> Rig:
    driver = Sim()
    opened(driver)
    return Rig(power=driver.power())


def qemu(_request: pytest.FixtureRequest, opened: Opener) -> Rig:
    driver = Qemu(bios=str(UBOOT))
    opened(driver)
    return Rig(power=driver.power())
