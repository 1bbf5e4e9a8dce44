"""Two outlets of a unit behind net-snmp's agent, as a rig of the contract."""

from __future__ import annotations

import pytest
from support.opening import Peer
from support.power_rigs.rig import Opener, Rig
from support.snmpd import snmpd

from runner.api import Duration
from runner.modules.snmp.snmp import Snmp


def snmp(request: pytest.FixtureRequest, opened: Opener) -> Rig:
    agent = Peer(snmpd(request.getfixturevalue("tmp_path") / "agent"))
    opened(agent)
    driver = Snmp(**agent.it.v3("sha-aes128", outlet="3-4", preset="apc", timeout=Duration("30s")))
    opened(driver)
    return Rig(power=driver, named=f"127.0.0.1:{agent.it.port}", vanish=agent.close)
