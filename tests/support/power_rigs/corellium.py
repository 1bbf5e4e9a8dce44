"""A virtual device of the emulated Corellium, as a rig of the contract; there is none at first."""

from __future__ import annotations

import pytest
from support.corellium import TOKEN, Corellium, served
from support.opening import Peer
from support.power_rigs.rig import Opener, Rig

from runner.api import Duration, Secret
from runner.modules.corellium.corellium import Corellium as Driver

_ANSWERS = Duration("3s")
"""The API gets so long for an answer: one test waits for that."""


def corellium(_request: pytest.FixtureRequest, opened: Opener) -> Rig:
    """Return it; a relay that sticks is not among its moods, for the driver itself waits for the state."""
    api = Corellium()
    peer = Peer(served(api))
    opened(peer)
    driver = Driver(
        api=api.url,
        token=Secret(TOKEN),
        name="nightly",
        model="imx8mp-evk",
        os="1.1.1",
        poll_interval=Duration("1ms"),
        limit=_ANSWERS,
    )
    opened(driver)

    def set_(name: str) -> None:
        setattr(api, name, True)

    return Rig(
        power=driver.power(),
        named=f"instance 'nightly' at {api.url}/api",
        refuse=lambda: set_("refuses"),
        stall=lambda: set_("silent"),
        vanish=peer.close,
    )
