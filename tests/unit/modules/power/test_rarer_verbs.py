"""What only some switches can do, and what power_cycle, power_read and power_info make of it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from support.context import StepContext, Switch, Terminal

from runner.api import Duration, LabError, PowerReading, Unsupported
from runner.modules.power.power_cycle import PowerCycle
from runner.modules.power.power_info import PowerInfo
from runner.modules.power.power_off import PowerOff
from runner.modules.power.power_on import PowerOn
from runner.modules.power.power_read import PowerRead


@dataclass(eq=False)
class FullSwitch(Switch):
    """A switch that can do everything; `dead_cycles` of its cycles change nothing."""

    dead_cycles: int = 0

    def cycle(self) -> None:
        self.calls.append("cycle")
        self.now = "off" if self.dead_cycles else "on"
        self.dead_cycles -= 1

    def force_on(self) -> None:
        self.calls.append("force_on")
        self.now = "on"

    def force_off(self) -> None:
        self.calls.append("force_off")
        self.now = "off"

    def rescue(self) -> None:
        self.calls.append("rescue")
        self.now = "on"


@pytest.mark.parametrize(
    ("module", "asked", "state"),
    [
        (PowerOn(force=True, power=FullSwitch()), "force_on", "on"),
        (PowerOn(rescue=True, power=FullSwitch()), "rescue", "on"),
        (PowerOff(force=True, power=FullSwitch("on")), "force_off", "off"),
        (PowerCycle(by_switch=True, power=FullSwitch("on")), "cycle", "on"),
    ],
)
def test_the_switch_is_asked_for_what_it_can_and_read_back(
    module: PowerOn | PowerOff | PowerCycle, asked: str, state: str
) -> None:
    result = module.run(StepContext())

    assert module.power.calls == [asked]
    assert (result.state, result.verified) == (state, "state")


@pytest.mark.parametrize(
    ("module", "verb"),
    [
        (PowerOn(force=True, power=Switch()), "force_on"),
        (PowerOn(rescue=True, power=Switch()), "rescue"),
        (PowerOff(force=True, power=Switch()), "force_off"),
        (PowerCycle(by_switch=True, power=Switch()), "cycle"),
    ],
)
def test_what_a_switch_cannot_is_said_by_a_run_and_by_a_prediction(
    module: PowerOn | PowerOff | PowerCycle, verb: str
) -> None:
    with pytest.raises(Unsupported, match="'pdu' on bench 'bench' could not be"):
        module.run(StepContext(power="pdu"))
    with pytest.raises(Unsupported, match=f"'pdu' on bench 'bench' cannot '{verb}': it can only"):
        module.predict(StepContext(power="pdu"))
    assert module.power.calls == []


def test_a_cycle_by_the_switch_wants_a_byte_that_came_after_it_began() -> None:
    switch, terminal, context = FullSwitch("on"), Terminal(), StepContext()
    terminal.bytes = 100
    context.while_asleep = lambda _: setattr(terminal, "bytes", 101)

    result = PowerCycle(by_switch=True, power=switch, consoles=(terminal,)).run(context)

    assert (result.verified, result.off_for) == ("state and console", None)
    assert terminal.calls == [("power_mark",)]


def test_a_cycle_that_could_not_be_verified_is_tried_again_as_a_whole() -> None:
    switch, context = FullSwitch("on", dead_cycles=2), StepContext(power="pdu")

    result = PowerCycle(by_switch=True, power=switch, retries=2, within=Duration(0)).run(context)

    assert switch.calls == ["cycle"] * 3
    why = "'pdu' on bench 'bench' still reads off, 0s after it was switched on"
    assert result.unverified == (why, why)
    assert context.said == [
        ("warning", f"cycle 1 of 3 did not count: {why}"),
        ("warning", f"cycle 2 of 3 did not count: {why}"),
    ]


def test_the_last_cycle_that_could_not_be_verified_ends_the_step_and_names_all() -> None:
    switch = Switch("on", stuck=True)

    with pytest.raises(LabError, match="still reads on") as caught:
        PowerCycle(power=switch, retries=1, within=Duration(0)).run(StepContext())

    assert switch.calls == ["off", "off"]
    assert len(caught.value.evidence["cycles"]) == 2


def test_a_switch_that_refuses_is_not_asked_for_another_cycle() -> None:
    switch = Switch("on", fails=LabError("the relay is locked"))

    with pytest.raises(LabError, match="could not be switched off: the relay is locked"):
        PowerCycle(power=switch, retries=5).run(StepContext())

    assert switch.calls == ["off"]


def test_a_board_that_is_off_can_be_left_so() -> None:
    switch = Switch("off")

    result = PowerCycle(skip_if_off=True, power=switch).run(StepContext())

    assert (switch.calls, result.state, result.off_for) == ([], "off", None)
    with pytest.raises(Unsupported, match="cannot read its state back"):
        PowerCycle(skip_if_off=True, power=Switch(readable=False)).run(StepContext())


def test_a_cycle_says_how_long_it_was_off_and_waits_when_it_is_on_again() -> None:
    context = StepContext()

    result = PowerCycle(power=Switch("on"), off_time=Duration(3), on_delay=Duration(7)).run(context)

    assert result.off_for == 3
    assert context.slept[-1] == 7


def test_readings_have_a_mean_and_two_ends_for_each_quantity() -> None:
    readings = [PowerReading(voltage=5, current=1), PowerReading(voltage=4, current=3, power=9)]

    result = PowerRead(power=Switch(readings=readings), count=2).run(StepContext())

    assert (result.voltage, result.current, result.power, result.apparent_power) == (4.5, 2, 9, 8.5)
    assert (result.minimum.apparent_power, result.maximum.current, result.minimum.power) == (5, 3, 9)


def test_only_readings_that_differ_count_when_that_is_asked() -> None:
    one, two = PowerReading(current=1), PowerReading(current=2)
    context = StepContext()

    result = PowerRead(power=Switch(readings=[one, one, one, two]), count=2, on_change=True).run(context)

    assert result.readings == (one, two)
    assert len(context.slept) == 3


def test_a_switch_says_what_it_is_and_can() -> None:
    switch = FullSwitch("on", readings=[PowerReading(voltage=5)])
    switch.label = lambda: "outlet 3"

    info = PowerInfo(power=switch).run(StepContext(power="pdu"))

    assert (info.device, info.outlet, info.state, info.reading) == (
        "pdu",
        "outlet 3",
        "on",
        PowerReading(voltage=5),
    )
    assert info.capabilities == ("state", "read", "cycle", "force_on", "force_off", "rescue")
    assert PowerInfo(power=Switch(readable=False)).run(StepContext()).capabilities == ()


def test_a_cycle_is_predicted_and_nothing_is_switched() -> None:
    switch, context = FullSwitch("off"), StepContext(power="pdu")
    name = "'pdu' on bench 'bench'"

    assert [
        PowerCycle(power=switch).predict(context),
        PowerCycle(power=switch, by_switch=True).predict(context),
        PowerCycle(power=switch, skip_if_off=True).predict(context),
        PowerOn(power=switch, rescue=True).predict(context),
        PowerOff(power=switch, force=True).predict(context),
    ] == [
        f"would switch off {name} for 2s, and on again: it is off",
        f"would have the power cycled by {name}: it is off",
        f"{name} is off, and would be left so",
        f"would start the rescue mode by {name}: it is off",
        f"would force off {name}: it is off",
    ]
    assert switch.calls == []
