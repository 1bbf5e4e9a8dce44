"""What every driver that offers Power does.

A driver is added with a rig (`support/power_rigs/`, a file a driver) and a line in `DRIVERS`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.command import wait_until
from support.power_rigs.command import command
from support.power_rigs.corellium import corellium
from support.power_rigs.emulated import qemu, sim
from support.power_rigs.gpio import gpio
from support.power_rigs.manual import manual
from support.power_rigs.mock import mock, unreadable_mock
from support.power_rigs.relays import lcus, modbus_rtu, modbus_tcp
from support.power_rigs.rig import RealTime, Rig
from support.power_rigs.snmp import snmp
from support.power_rigs.tasmota import tasmota
from support.power_rigs.usb import dutlink, usb_hub, ykush
from support.power_rigs.web import energenie, http

from runner.api import (
    Driver,
    Duration,
    LabError,
    PowerReading,
    PowerState,
    PowerVerb,
    Unreachable,
    Unsupported,
)
from runner.modules.power.command import Command
from runner.modules.power.mock import Mock
from runner.modules.power.power_cycle import PowerCycle
from runner.modules.power.power_info import PowerInfo
from runner.modules.power.power_off import PowerOff
from runner.modules.power.power_on import PowerOn
from runner.modules.power.power_read import PowerRead
from runner.modules.sim.options import Faults
from runner.modules.sim.sim import Sim

DRIVERS = [
    pytest.param(mock, id="mock"),
    pytest.param(unreadable_mock, id="unreadable"),
    pytest.param(command, id="command"),
    pytest.param(manual, id="manual"),
    pytest.param(sim, id="sim"),
    pytest.param(gpio, id="gpio"),
    pytest.param(modbus_tcp, id="modbus tcp"),
    pytest.param(modbus_rtu, id="modbus rtu"),
    pytest.param(lcus, id="lcus"),
    pytest.param(snmp, id="snmp", marks=pytest.mark.peer("snmpd")),
    pytest.param(tasmota, id="tasmota", marks=pytest.mark.peer("mosquitto")),
    pytest.param(http, id="http"),
    pytest.param(energenie, id="energenie"),
    pytest.param(qemu, id="qemu", marks=pytest.mark.peer("qemu")),
    pytest.param(corellium, id="corellium", marks=pytest.mark.peer("bash")),
    pytest.param(ykush, id="ykush", marks=pytest.mark.peer("umockdev")),
    pytest.param(dutlink, id="dutlink", marks=pytest.mark.peer("umockdev")),
    pytest.param(usb_hub, id="usb_hub", marks=pytest.mark.peer("umockdev")),
]
LEAVES: dict[PowerVerb, PowerState] = {"cycle": "on", "force_on": "on", "force_off": "off", "rescue": "on"}
"""In which state each of the rarer verbs leaves the outlet."""
PATIENCE = 30.0
"""Seconds that an outlet of a test has to read as it should; far more than any needs."""


@pytest.fixture(params=DRIVERS)
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with ExitStack() as stack:

        def opened(driver: Driver) -> None:
            driver.open()
            stack.callback(driver.close)

        yield request.param(request, opened)


def reads(rig: Rig, wanted: PowerState) -> bool:
    """Tell whether the outlet comes to read as wanted; one that cannot tell must say so."""
    if not rig.readable:
        return rig.power.state() is None
    until = time.monotonic() + PATIENCE
    while rig.power.state() != wanted and time.monotonic() < until:
        time.sleep(0.02)
    return rig.power.state() == wanted


def mood(rig: Rig, name: str) -> Callable[[], None]:
    """Return what puts the rig's peer into a mood; skip the test when it has no such mood."""
    found: Callable[[], None] | None = getattr(rig, name)
    if found is None:
        pytest.skip(f"its peer cannot {name}")
    return found


def blamed(rig: Rig, error: LabError) -> bool:
    """Tell whether an error names the bench, the device and the outlet, and not the board."""
    named = "'pdu' on bench 'rack-1'" in error.message and rig.named in error.message
    return named and (error.evidence["bench"], error.evidence["device"]) == ("rack-1", "pdu")


def test_it_begins_switched_off(rig: Rig) -> None:
    assert reads(rig, "off")


def test_it_reads_back_what_it_was_told(rig: Rig) -> None:
    rig.power.on()
    assert reads(rig, "on")
    rig.power.off()
    assert reads(rig, "off")


def test_switching_twice_is_switching_once(rig: Rig) -> None:
    rig.power.off()
    rig.power.on()
    rig.power.on()
    assert reads(rig, "on")
    rig.power.off()
    rig.power.off()
    assert reads(rig, "off")


def test_it_can_be_switched_again_and_again(rig: Rig) -> None:
    for _ in range(3):
        rig.power.on()
        rig.power.off()

    assert reads(rig, "off")


def test_it_measures_or_says_that_it_cannot(rig: Rig) -> None:
    rig.power.on()
    assert reads(rig, "on")
    reading = rig.power.read()

    assert reading is None or (isinstance(reading, PowerReading) and (reading.voltage or 0) > 0)


def test_the_verbs_switch_cycle_describe_and_measure_it(rig: Rig) -> None:
    on = PowerOn(power=rig.power).run(RealTime())
    cycled = PowerCycle(power=rig.power, off_time=Duration("1ms")).run(RealTime())
    info = PowerInfo(power=rig.power).run(RealTime())
    if rig.power.read() is None:
        with pytest.raises(Unsupported, match="cannot measure"):
            PowerRead(power=rig.power).run(RealTime())
    else:
        assert (PowerRead(power=rig.power, count=1).run(RealTime()).voltage or 0) > 0
    off = PowerOff(power=rig.power).run(RealTime())

    assert (on.state, cycled.state, info.state) == (("on",) * 3 if rig.readable else (None,) * 3)
    assert cycled.off_for >= Duration("1ms")
    assert off.previous == ("on" if rig.readable else None)
    assert reads(rig, "off")


@pytest.mark.parametrize("verb", LEAVES)
def test_it_does_what_it_says_that_it_can_and_refuses_the_rest(rig: Rig, verb: PowerVerb) -> None:
    before: PowerState = "off" if LEAVES[verb] == "on" and verb != "cycle" else "on"
    if before == "on":
        rig.power.on()
    assert reads(rig, before)

    if verb in rig.power.capabilities():
        getattr(rig.power, verb)()
        assert reads(rig, LEAVES[verb])
    else:
        with pytest.raises(Unsupported):
            getattr(rig.power, verb)()
        assert reads(rig, before)


def test_a_relay_that_is_stuck_is_found_by_verifying(rig: Rig) -> None:
    stick = mood(rig, "stick")
    rig.power.on()
    assert reads(rig, "on")
    stick()

    with pytest.raises(LabError, match="still reads on, 300ms after it was switched off") as caught:
        PowerOff(power=rig.power, within=Duration("300ms")).run(RealTime())

    assert blamed(rig, caught.value)


def test_an_order_that_is_refused_is_an_error_that_names_the_outlet(rig: Rig) -> None:
    mood(rig, "refuse")()

    with pytest.raises(LabError, match="could not be switched on: ") as caught:
        PowerOn(power=rig.power).run(RealTime())

    assert blamed(rig, caught.value)


def test_a_switch_that_does_not_answer_is_given_up_and_the_error_names_the_outlet(rig: Rig) -> None:
    mood(rig, "stall")()

    with pytest.raises(Unreachable, match="did not answer within 300ms|could not be") as caught:
        PowerOn(power=rig.power, within=Duration("300ms")).run(RealTime())

    assert blamed(rig, caught.value)


def test_a_switch_that_has_gone_is_unreachable_and_the_error_names_the_outlet(rig: Rig) -> None:
    mood(rig, "vanish")()

    with pytest.raises(Unreachable) as caught:
        PowerOn(power=rig.power).run(RealTime())

    assert blamed(rig, caught.value)


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


@pytest.mark.parametrize(
    ("printed", "why"),
    [
        ("maybe", "two or three numbers"),
        ("1", "two or three numbers"),
        ("nan 1", "two or three numbers"),
        ('{"volts": 5}', "any of 'voltage', 'current' and 'power'"),
        ('{"voltage": "5"}', "expected a number as 'voltage'"),
        ('{"voltage": 5', "no JSON"),
    ],
)
def test_what_nobody_understands_is_an_error(printed: str, why: str) -> None:
    driver = Command(
        turn_on="true", turn_off="true", tell_state="echo maybe", tell_reading=f"echo '{printed}'"
    )
    driver.open()

    with pytest.raises(LabError, match="printed 'maybe', expected on or off"):
        driver.state()
    with pytest.raises(LabError, match=why):
        driver.read()


@pytest.mark.parametrize(
    ("printed", "power"), [("5 0.5", 2.5), ("5 0.5 2.4", 2.4), ('{"power": 3}', 3), ('{"voltage": 5}', None)]
)
def test_a_command_prints_numbers_or_json(printed: str, power: float | None) -> None:
    driver = Command(turn_on="true", turn_off="true", tell_reading=f"echo '{printed}'")
    driver.open()

    reading = driver.read()

    assert reading is not None
    assert reading.power == power


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
    slow, slower = (Sim(faults=Faults(outlet_delay=Duration(delay))) for delay in ("150ms", "1h"))
    for each in (slow, slower):
        each.open()
        each.power().on()

    wait_until(lambda: slow.power().state() == "on", "the outlet switches")
    assert slower.power().state() == "off"
    for each in (slow, slower):
        each.close()


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
    thread.join(60)

    assert [str(error) for error in asked] == ["the simulated outlet was closed before it answered"]
