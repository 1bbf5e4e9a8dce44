"""The supply that only pretends, as a rig of the contract."""

from __future__ import annotations

import pytest
from support.power_rigs.rig import Opener, Rig

from runner.api import Duration
from runner.modules.power.mock import Mock


def mock(_request: pytest.FixtureRequest, opened: Opener) -> Rig:
    driver = Mock()
    opened(driver)

    def stick() -> None:
        driver.stuck = True

    def refuse() -> None:
        driver.fails = ["on", "off", "cycle", "force_on", "force_off", "rescue"]

    def stall() -> None:
        driver.delay = Duration("1h")

    return Rig(power=driver, stick=stick, refuse=refuse, stall=stall)


def unreadable_mock(_request: pytest.FixtureRequest, opened: Opener) -> Rig:
    driver = Mock(readable=False, can=["cycle"], voltage=None, current=None)
    opened(driver)
    return Rig(power=driver, readable=False)
