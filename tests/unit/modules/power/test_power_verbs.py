"""power_on, power_off, power_cycle and power_read, on a switch in memory."""

import threading

import pytest
from support.context import StepContext, Switch, Terminal

from runner.api import (
    Duration,
    Failed,
    LabError,
    PowerReading,
    RecipeFault,
    TimedOut,
    Unreachable,
    Unsupported,
)
from runner.modules.power.power_cycle import PowerCycle
from runner.modules.power.power_off import PowerOff
from runner.modules.power.power_on import PowerOn
from runner.modules.power.power_read import PowerRead

NOW = Duration(0)


def test_switching_on_reads_the_switch_back_and_tells_every_console() -> None:
    switch, terminals = Switch(), (Terminal(), Terminal())

    result = PowerOn(power=switch, consoles=terminals).run(StepContext())

    assert (result.previous, result.state) == ("off", "on")
    assert [terminal.calls for terminal in terminals] == [[("power_mark",)]] * 2


def test_consoles_are_told_before_the_power_is_there() -> None:
    switch, terminal = Switch(), Terminal()
    terminal.power_mark = lambda: switch.calls.append("mark")

    PowerOn(power=switch, consoles=(terminal,)).run(StepContext())

    assert switch.calls == ["mark", "on"]


def test_a_switch_that_takes_its_time_is_asked_again() -> None:
    context = StepContext()

    result = PowerOff(power=Switch("on", lags=3)).run(context)

    assert result.state == "off"
    assert context.slept == [0.05, 0.1, 0.2]


@pytest.mark.parametrize(("verb", "was", "wanted"), [(PowerOn, "off", "on"), (PowerOff, "on", "off")])
def test_a_stuck_relay_is_the_labs_fault_and_the_outlet_is_named(verb: type, was: str, wanted: str) -> None:
    module = verb(power=Switch(was, stuck=True), within=NOW)

    with pytest.raises(LabError) as caught:
        module.run(StepContext(power="pdu3"))

    assert (
        caught.value.message
        == f"'pdu3' on bench 'bench' still reads {was}, 0s after it was switched {wanted}"
    )
    assert caught.value.evidence == {
        "bench": "bench",
        "device": "pdu3",
        "expected": wanted,
        "actual": was,
        "within": 0.0,
    }


def test_a_switch_that_cannot_be_read_is_believed() -> None:
    result = PowerOn(power=Switch(readable=False)).run(StepContext())

    assert (result.previous, result.state) == (None, None)


@pytest.mark.parametrize("verb", [PowerOn, PowerOff, PowerCycle])
def test_a_state_that_must_be_verified_and_cannot_be_read_is_refused_before_switching(verb: type) -> None:
    switch = Switch(readable=False)

    with pytest.raises(Unsupported, match="cannot read its state back"):
        verb(power=switch, verify="state").run(StepContext())
    assert switch.calls == []


def test_verify_none_asks_nothing() -> None:
    switch = Switch(stuck=True)
    switch.state = lambda: pytest.fail("was asked")

    assert PowerOn(power=switch, verify="none").run(StepContext()).state is None
    assert PowerOff(power=switch, verify="none").run(StepContext()).state is None
    assert PowerCycle(power=switch, verify="none").run(StepContext()).verified == "none"


def test_a_cycle_is_off_for_the_off_time_and_marks_the_consoles() -> None:
    switch, terminal, context = Switch("on"), Terminal(), StepContext()

    result = PowerCycle(power=switch, consoles=(terminal,), off_time=Duration(3)).run(context)

    assert switch.calls == ["off", "on"]
    assert sum(context.slept) == 3
    assert terminal.calls == [("power_mark",)]
    assert (result.previous, result.state, result.verified) == ("on", "on", "state and console")


def test_a_board_that_talks_while_it_is_off_is_the_labs_fault() -> None:
    switch, terminal, context = Switch(readable=False), Terminal(), StepContext(power="pdu3")
    context.while_asleep = lambda _: setattr(terminal, "bytes", terminal.bytes + 7)

    with pytest.raises(LabError, match=r"'pdu3' .* goes on talking") as caught:
        PowerCycle(power=switch, consoles=(terminal,)).run(context)
    assert caught.value.evidence["bytes"] == 7
    assert switch.calls == ["off"]


def test_the_last_words_of_a_board_are_forgiven() -> None:
    terminal, context = Terminal(), StepContext()
    context.while_asleep = lambda seconds: setattr(terminal, "bytes", 7 if seconds <= 0.5 else terminal.bytes)

    result = PowerCycle(power=Switch(readable=False), consoles=(terminal,)).run(context)

    assert result.verified == "console"


def test_the_silence_of_a_console_that_is_gone_proves_nothing() -> None:
    there, away = Terminal(), Terminal()
    away.gone = "the adapter was unplugged"

    told = r"'pdu3' .* nobody can tell whether the board is silent: its console is gone: the adapter was"
    with pytest.raises(LabError, match=told):
        PowerOff(power=Switch("on"), consoles=(away,), verify="console").run(StepContext(power="pdu3"))
    PowerOff(power=Switch("on"), consoles=(away, there), verify="console").run(StepContext())
    PowerOff(power=Switch("on"), consoles=(away,)).run(StepContext())


def test_a_board_that_talks_is_believed_more_than_a_switch_that_reads_off() -> None:
    terminal, context = Terminal(), StepContext(power="pdu3")
    context.while_asleep = lambda _: setattr(terminal, "bytes", terminal.bytes + 7)

    with pytest.raises(LabError, match="'pdu3' on bench 'bench' is switched off, but the board goes on"):
        PowerCycle(power=Switch("on"), consoles=(terminal,)).run(context)


def test_verify_state_does_not_listen() -> None:
    terminal, context = Terminal(), StepContext()
    context.while_asleep = lambda _: setattr(terminal, "bytes", terminal.bytes + 7)

    result = PowerCycle(power=Switch("on"), consoles=(terminal,), verify="state").run(context)

    assert result.verified == "state"


@pytest.mark.parametrize(("said_before", "fine"), [(0, True), (7, False)])
def test_only_a_console_that_has_talked_before_can_miss_its_first_byte(said_before: int, fine: bool) -> None:
    terminal = Terminal()
    terminal.bytes = said_before
    module = PowerCycle(power=Switch("on"), consoles=(terminal,))

    if fine:
        assert module.run(StepContext()).verified == "state and console"
    else:
        with pytest.raises(LabError, match="'pdu3' on bench 'bench' .* no console said anything within 30s"):
            module.run(StepContext(power="pdu3"))


@pytest.mark.parametrize(("within", "fine"), [("30s", True), ("5s", False)])
def test_a17_an_outlet_that_takes_12_s_passes_when_the_limit_allows_it(within: str, fine: bool) -> None:
    switch, context = Switch("on"), StepContext(power="pdu3")
    switch.state = lambda: "on" if sum(context.slept) < 12 and switch.now == "off" else switch.now
    module = PowerCycle(power=switch, within=Duration(within))

    if fine:
        assert module.run(context).state == "on"
        assert sum(context.slept) > 12
    else:
        with pytest.raises(LabError, match="'pdu3' on bench 'bench' still reads on, 5s after"):
            module.run(context)


EVERY = pytest.mark.parametrize("verb", [PowerOn, PowerOff, PowerCycle])


@EVERY
@pytest.mark.parametrize(
    ("error", "told"),
    [
        (LabError("500 Internal Server Error"), "500 Internal Server Error"),
        (Failed("nonsense"), "nonsense"),
        (ConnectionRefusedError(111, "refused"), r"ConnectionRefusedError: \[Errno 111\] refused"),
        (TimeoutError("read timed out"), "TimeoutError: read timed out"),
    ],
)
def test_a_switch_that_answers_with_an_error_is_the_labs_fault(
    verb: type, error: Exception, told: str
) -> None:
    module = verb(power=Switch("on", fails=error))

    with pytest.raises(LabError, match=f"'pdu3' on bench 'bench' could not be switched o[nf]+: {told}"):
        module.run(StepContext(power="pdu3"))


def test_a_switch_that_never_answers_is_the_labs_fault_and_is_not_asked_again() -> None:
    switch, released = Switch("on"), threading.Event()
    switch.off = released.wait
    module = PowerOff(power=switch, within=NOW)

    with pytest.raises(Unreachable, match="'pdu3' on bench 'bench' did not answer within 0s"):
        module.run(StepContext(power="pdu3"))
    with pytest.raises(Unreachable, match="'pdu3' on bench 'bench' has still not answered an earlier call"):
        module.run(StepContext(power="pdu3"))
    released.set()


def test_time_that_is_over_while_a_switch_is_awaited_is_never_the_boards_fault() -> None:
    context = StepContext(power="pdu3")

    def over(_seconds: float) -> None:
        raise TimedOut("time is over: the step's timeout of 5s")

    context.while_asleep = over
    with pytest.raises(LabError, match="'pdu3' on bench 'bench': time is over: .*awaited to read off") as bad:
        PowerOff(power=Switch("on", stuck=True)).run(context)
    assert not isinstance(bad.value, Failed)


def test_the_outlet_is_called_what_its_driver_calls_it() -> None:
    switch = Switch("on", stuck=True)
    switch.label = lambda: "outlet 3 of 10.0.0.9"

    with pytest.raises(
        LabError, match=r"'pdu3' on bench 'bench' \(outlet 3 of 10.0.0.9\) still reads"
    ) as bad:
        PowerOff(power=switch, within=NOW).run(StepContext(power="pdu3"))
    assert bad.value.evidence["outlet"] == "outlet 3 of 10.0.0.9"


def test_switching_on_with_verify_console_waits_for_the_first_byte() -> None:
    terminal, context = Terminal(), StepContext()
    context.while_asleep = lambda _: setattr(terminal, "bytes", 1)
    PowerOn(power=Switch(), consoles=(terminal,), verify="console").run(context)

    with pytest.raises(LabError, match="no console said anything"):
        PowerOn(power=Switch(), consoles=(Terminal(),), verify="console").run(StepContext())


def test_switching_off_with_verify_console_wants_silence() -> None:
    terminal, context = Terminal(), StepContext()
    PowerOff(power=Switch("on"), consoles=(terminal,), verify="console").run(context)
    assert sum(context.slept) == 2

    context.while_asleep = lambda _: setattr(terminal, "bytes", terminal.bytes + 1)
    with pytest.raises(LabError, match="goes on talking"):
        PowerOff(power=Switch("on"), consoles=(terminal,), verify="console").run(context)


def test_verify_console_waits_for_the_first_byte() -> None:
    switch, terminal, context = Switch("on"), Terminal(), StepContext()

    def boot(_: float) -> None:
        terminal.bytes += 1 if switch.now == "on" and len(context.slept) > 4 else 0

    context.while_asleep = boot
    result = PowerCycle(power=switch, consoles=(terminal,), verify="console").run(context)

    assert result.verified == "console"
    assert len(context.slept) == 5


def test_verify_console_fails_for_a_board_that_says_nothing() -> None:
    module = PowerCycle(power=Switch(), consoles=(Terminal(),), verify="console", within=NOW)

    with pytest.raises(LabError, match="no console said anything within 0s"):
        module.run(StepContext())


@EVERY
def test_verify_console_needs_a_console(verb: type) -> None:
    switch = Switch()

    with pytest.raises(RecipeFault, match="no console"):
        verb(power=switch, verify="console").run(StepContext())
    assert switch.calls == []


def test_a_reading_is_the_mean_of_all_and_none_stays_none() -> None:
    switch = Switch(readings=[PowerReading(voltage=5.0, power=2.0), PowerReading(voltage=4.0, power=4.0)])
    context = StepContext()

    result = PowerRead(power=switch, count=2, interval=Duration(3)).run(context)

    assert (result.voltage, result.current, result.power) == (4.5, None, 3.0)
    assert [reading.voltage for reading in result.readings] == [5.0, 4.0]
    assert context.slept == [3]


def test_a_supply_that_cannot_measure_is_unsupported() -> None:
    with pytest.raises(Unsupported, match="'pdu3' on bench 'bench' cannot measure"):
        PowerRead(power=Switch()).run(StepContext(power="pdu3"))
