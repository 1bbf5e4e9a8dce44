"""What every driver that offers Power does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.opening import Peer
from support.peers import UBOOT
from support.snmpd import snmpd

from runner.api import Driver, Duration, LabError, Power, PowerReading
from runner.modules.machine.qemu import Qemu
from runner.modules.power.command import Command
from runner.modules.power.mock import Mock
from runner.modules.sim.options import Faults
from runner.modules.sim.sim import Sim
from runner.modules.snmp.snmp import Snmp

Opener = Callable[[Driver], None]


def _mock(_folder: Path, opened: Opener) -> Power:
    driver = Mock()
    opened(driver)
    return driver


def _command(folder: Path, opened: Opener) -> Power:
    relay = folder / "relay"
    relay.write_text("off", encoding="utf-8")
    driver = Command(turn_on=f"echo on > {relay}", turn_off=f"echo off > {relay}", tell_state=f"cat {relay}")
    opened(driver)
    return driver


def _sim(_folder: Path, opened: Opener) -> Power:
    driver = Sim()
    opened(driver)
    return driver.power()


def _qemu(_folder: Path, opened: Opener) -> Power:
    driver = Qemu(bios=str(UBOOT))
    opened(driver)
    return driver.power()


def _snmp(folder: Path, opened: Opener) -> Power:
    agent = Peer(snmpd(folder / "agent"))
    opened(agent)
    driver = Snmp(**agent.it.v3("sha-aes128", outlet="3-4", preset="apc", timeout=Duration("30s")))
    opened(driver)
    return driver


DRIVERS = [
    pytest.param(_mock, id="mock"),
    pytest.param(_command, id="command"),
    pytest.param(_sim, id="sim"),
    pytest.param(_snmp, id="snmp", marks=pytest.mark.peer("snmpd")),
    pytest.param(_qemu, id="qemu", marks=pytest.mark.peer("qemu")),
]


@pytest.fixture(params=DRIVERS)
def power(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Power]:
    with ExitStack() as stack:

        def opened(driver: Driver) -> None:
            driver.open()
            stack.callback(driver.close)

        yield request.param(tmp_path, opened)


def test_it_begins_switched_off(power: Power) -> None:
    assert power.state() == "off"


def test_it_reads_back_what_it_was_told(power: Power) -> None:
    power.on()
    assert power.state() == "on"
    power.off()
    assert power.state() == "off"


def test_switching_twice_is_switching_once(power: Power) -> None:
    power.off()
    power.on()
    power.on()
    assert power.state() == "on"
    power.off()
    power.off()
    assert power.state() == "off"


def test_it_can_be_switched_again_and_again(power: Power) -> None:
    for _ in range(3):
        power.on()
        power.off()

    assert power.state() == "off"


def test_it_measures_or_says_that_it_cannot(power: Power) -> None:
    power.on()
    reading = power.read()

    assert reading is None or (isinstance(reading, PowerReading) and (reading.voltage or 0) > 0)


def test_a_failing_command_says_what_it_printed() -> None:
    driver = Command(turn_on="echo no such outlet; exit 3", turn_off="true")
    driver.open()

    with pytest.raises(LabError, match=r"exit status 3, expected 0: .*: no such outlet") as caught:
        driver.on()
    assert caught.value.evidence["status"] == 3


def test_a_command_that_hangs_is_ended_with_everything_it_started() -> None:
    driver = Command(turn_on="sleep 1000 & sleep 1000", turn_off="true", limit=Duration("200ms"))
    driver.open()

    with pytest.raises(LabError, match="did not end within 200ms"):
        driver.on()


def test_a_state_that_nobody_understands_is_an_error() -> None:
    driver = Command(turn_on="true", turn_off="true", tell_state="echo maybe")
    driver.open()

    with pytest.raises(LabError, match="printed 'maybe', expected on or off"):
        driver.state()


def test_a_supply_without_a_state_command_says_so() -> None:
    driver = Command(turn_on="true", turn_off="true")
    driver.open()

    assert driver.state() is None


def test_a_mock_keeps_a_record_from_its_opening_on(tmp_path: Path) -> None:
    record = tmp_path / "calls"
    driver = Mock(record=str(record))
    assert not record.exists()

    driver.open()
    driver.on()
    driver.state()
    driver.off()
    driver.close()

    assert record.read_text(encoding="utf-8").split() == ["open", "on", "state", "off", "close"]


def test_a_mock_fails_as_often_as_it_was_told() -> None:
    driver = Mock(fails=["off"], fail_times=2)
    driver.open()

    for _ in range(2):
        with pytest.raises(LabError, match="fails at 'off'"):
            driver.off()
    driver.off()


def test_a_stuck_mock_keeps_its_state() -> None:
    driver = Mock(initial="on", stuck=True)
    driver.open()

    driver.off()

    assert driver.state() == "on"


def test_a_stuck_outlet_of_the_simulated_board_says_so_and_a_lying_one_does_not() -> None:
    for relay, claimed in (("stuck", "on"), ("lies", "off")):
        driver = Sim(faults=Faults(relay=relay))
        driver.open()
        power = driver.power()
        power.on()
        power.off()
        assert power.state() == claimed
        assert power.read().current > 0
        driver.close()


def test_a_slow_outlet_switches_later() -> None:
    driver = Sim(faults=Faults(outlet_delay=Duration("150ms")))
    driver.open()
    power = driver.power()

    power.on()
    before = power.state()
    deadline = time.monotonic() + 5
    while power.state() == "off" and time.monotonic() < deadline:
        time.sleep(0.01)

    assert before == "off"
    assert power.state() == "on"
    driver.close()


def test_an_outlet_that_does_not_feed_the_board_switches_all_the_same() -> None:
    driver = Sim(powered=True, faults=Faults(relay="other"))
    driver.open()
    power = driver.power()
    assert power.state() == "on"

    power.off()

    assert power.state() == "off"
    assert power.read().current > 0
    driver.close()


def test_a_simulated_outlet_fails_as_often_as_it_was_told() -> None:
    driver = Sim(faults=Faults(outlet_fails=["off"], outlet_fail_times=1))
    driver.open()
    power = driver.power()

    with pytest.raises(LabError, match="500 Internal Server Error"):
        power.off()
    power.off()
    driver.close()


def test_a_simulated_outlet_that_never_answers_does_so_when_the_bench_is_closed() -> None:
    driver = Sim(faults=Faults(outlet_hangs=["off"]))
    driver.open()
    asked: list[Exception] = []

    def ask() -> None:
        try:
            driver.power().off()
        except LabError as error:
            asked.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert not asked
    driver.close()
    thread.join(10)

    assert [str(error) for error in asked] == ["the simulated outlet was closed before it answered"]
