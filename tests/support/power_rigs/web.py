"""Plugs and a strip with web servers, emulated, as rigs of the contract."""

from __future__ import annotations

import pytest
from support.opening import Peer
from support.power_rigs.rig import Opener, Rig
from support.web_plugs import PASSWORD, USER, ShellyGen2, Strip, WebPlug, served

from runner.api import Duration, Power, Secret
from runner.modules.power.energenie import Energenie
from runner.modules.power.http import Http

LIMIT = Duration("60s")


def http(_request: pytest.FixtureRequest, opened: Opener) -> Rig:
    plug = ShellyGen2()
    peer = Peer(served(plug))
    opened(peer)
    who = {"user": USER, "password": Secret(PASSWORD)}
    driver = Http(url=plug.url, preset="shelly_gen2", outlet=1, limit=LIMIT, **who)
    opened(driver)
    return _rig(driver, plug, peer, f"{plug.url}/rpc/Switch.Set?id=1")


def energenie(_request: pytest.FixtureRequest, opened: Opener) -> Rig:
    strip = Strip()
    peer = Peer(served(strip))
    opened(peer)
    driver = Energenie(host=strip.url.removeprefix("http://"), socket=2, limit=LIMIT)
    opened(driver)
    return _rig(driver, strip, peer, f"socket 2 of {strip.url}")


def _rig(driver: Power, plug: WebPlug, peer: Peer[None], named: str) -> Rig:
    def set_(name: str) -> None:
        setattr(plug, name, True)

    return Rig(
        power=driver,
        named=named,
        stick=lambda: set_("stuck"),
        refuse=lambda: set_("refuses"),
        stall=lambda: set_("silent"),
        vanish=peer.close,
    )
