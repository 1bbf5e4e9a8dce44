"""Two outlets of a unit behind net-snmp's agent, as a rig of the contract."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from support.power_rigs.rig import Opener, Rig
from support.snmpd import Snmpd, snmpd

from runner.api import Driver, Duration
from runner.modules.snmp.snmp import Snmp


class Agent(Driver):
    """An agent that is closed as drivers are, after them."""

    def __init__(self, folder: Path) -> None:
        self._starting = snmpd(folder)

    def open(self) -> None:
        self.it: Snmpd = self._starting.__enter__()

    def close(self) -> None:
        self._starting.__exit__(None, None, None)


def snmp(request: pytest.FixtureRequest, opened: Opener) -> Rig:
    folder: Path = request.getfixturevalue("tmp_path")
    agent = Agent(folder)
    opened(agent)
    options = agent.it.v3("sha-aes128", outlet="3-4", preset="apc", timeout=Duration("3s"), tries=1)
    driver = Snmp(**options)
    opened(driver)

    def feels(mood: str) -> None:
        (folder / "mood").write_text(mood, encoding="utf-8")

    return Rig(
        power=driver,
        named=f"outlets 3 and 4 of snmp://127.0.0.1:{agent.it.port}",
        stick=lambda: feels("stick"),
        refuse=lambda: feels("refuse"),
        stall=lambda: agent.it.process.send_signal(signal.SIGSTOP),
        vanish=agent.it.process.kill,
    )
