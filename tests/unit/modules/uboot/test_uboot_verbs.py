"""The U-Boot verbs: what they ask of console and switch, and how they judge the answers."""

import pytest
from support.context import StepContext, Switch, Terminal, ran

from runner.api import Duration, Failed, LabError, RecipeFault
from runner.console import Interrupt
from runner.modules.uboot.uboot_cmd import UbootCmd
from runner.modules.uboot.uboot_enter import UbootEnter
from runner.modules.uboot.uboot_env import UbootEnv


def test_a_command_returns_its_output() -> None:
    terminal = Terminal()
    terminal.ran = [ran("arch=arm")]

    assert UbootCmd(command="printenv arch", console=terminal).run(StepContext()).output == "arch=arm"
    assert terminal.calls == [("run", "printenv arch", 60)]


def test_a_failed_command_says_its_status() -> None:
    terminal = Terminal()
    terminal.ran = [ran("Unknown command 'x' - try 'help'", 1)]

    with pytest.raises(Failed, match=r"^exit status 1, expected 0: x$") as caught:
        UbootCmd(command="x", console=terminal).run(StepContext())
    assert caught.value.evidence["output"] == "Unknown command 'x' - try 'help'"
    assert caught.value.result.status == 1


@pytest.mark.parametrize(("status", "check"), [(1, False), (None, True)])
def test_a_status_that_is_not_checked_or_not_known_does_not_fail(status: int | None, check: bool) -> None:
    terminal = Terminal()
    terminal.ran = [ran("", status)]

    assert UbootCmd(command="x", check=check, console=terminal).run(StepContext()).status == status


def test_entering_cycles_the_power_and_marks_every_console_before_it_is_on() -> None:
    switch, one, other, context = Switch("on"), Terminal(), Terminal(), StepContext()

    entered = UbootEnter(off_time=Duration(3), console=one, supply=switch, others=(one, other)).run(context)

    assert switch.calls == ["off", "on"]
    assert sum(context.slept) == 3
    assert [call[0] for call in one.calls] == ["power_mark", "enter_uboot"]
    assert other.calls == [("power_mark",)]
    assert entered.version == "U-Boot 2023.01"


def test_entering_may_only_switch_on() -> None:
    switch, context = Switch(), StepContext()

    UbootEnter(power="on", console=Terminal(), supply=switch).run(context)

    assert (switch.calls, context.slept) == (["on"], [])


def test_entering_may_leave_the_power_alone() -> None:
    switch, terminal = Switch(), Terminal()

    UbootEnter(power="none", console=terminal, supply=switch).run(StepContext())

    assert switch.calls == []
    assert [call[0] for call in terminal.calls] == ["enter_uboot"]


def test_the_interrupt_of_the_step_and_what_is_left_of_its_time_are_passed_on() -> None:
    terminal, how = Terminal(), Interrupt(mode="prompt", keys=" ")

    UbootEnter(power="none", interrupt=how, within=Duration(20), console=terminal).run(StepContext())

    [(_, within, interrupt_by)] = terminal.calls
    assert 19 < within <= 20
    assert interrupt_by is how


def test_a_bench_without_a_switch_cannot_start_the_board() -> None:
    terminal = Terminal()

    with pytest.raises(RecipeFault, match="no power device") as caught:
        UbootEnter(console=terminal).run(StepContext())
    assert "power: none" in caught.value.hint
    assert terminal.calls == []


def test_a_relay_that_sticks_is_told_before_the_board_is_waited_for() -> None:
    terminal = Terminal()
    module = UbootEnter(console=terminal, supply=Switch("on", stuck=True), within=Duration(0))

    with pytest.raises(LabError, match="'pdu3' on bench 'bench' still reads on"):
        module.run(StepContext(supply="pdu3"))
    assert terminal.calls == []


def test_a_variable_is_read() -> None:
    terminal = Terminal()
    terminal.environment = {"bootdelay": "2"}

    result = UbootEnv(get="bootdelay", console=terminal).run(StepContext())

    assert (result.values, result.changed) == ({"bootdelay": "2"}, False)


def test_a_variable_that_is_not_defined_is_null() -> None:
    assert UbootEnv(get=["a", "b"], console=Terminal()).run(StepContext()).values == {"a": None, "b": None}


def test_variables_are_set_and_deleted_and_the_old_values_kept() -> None:
    terminal = Terminal()
    terminal.environment = {"a": "1", "b": "2"}

    result = UbootEnv(set={"a": "x", "b": None, "c": "new"}, console=terminal).run(StepContext())

    assert terminal.environment == {"a": "x", "c": "new"}
    assert result.values == {"a": "x", "b": None, "c": "new"}
    assert result.before == {"a": "1", "b": "2", "c": None}
    assert result.changed


def test_what_has_its_value_already_is_not_set_again() -> None:
    terminal = Terminal()
    terminal.environment = {"a": "1"}

    result = UbootEnv(set={"a": "1", "b": None, "c": ""}, console=terminal).run(StepContext())

    assert terminal.calls == []
    assert not result.changed


def test_a_variable_that_does_not_take_its_value_fails() -> None:
    terminal = Terminal()
    terminal.environment, terminal.refuses = {"ethaddr": "00"}, {"ethaddr"}

    with pytest.raises(Failed, match="ethaddr is '00' after it was set to '11'"):
        UbootEnv(set={"ethaddr": "11"}, console=terminal).run(StepContext())


def test_the_environment_is_saved_when_asked() -> None:
    terminal = Terminal()
    terminal.ran = [ran("Saving Environment to FAT... OK")]

    UbootEnv(save=True, console=terminal).run(StepContext())

    assert terminal.calls == [("run", "saveenv", 10)]


def test_an_environment_that_cannot_be_saved_fails() -> None:
    terminal = Terminal()
    terminal.ran = [ran("Unknown command 'saveenv'", 1)]

    with pytest.raises(Failed, match="exit status 1, expected 0: saveenv"):
        UbootEnv(save=True, console=terminal).run(StepContext())


def test_asking_for_nothing_is_refused() -> None:
    with pytest.raises(RecipeFault, match="to get, to set or to save"):
        UbootEnv(console=Terminal()).run(StepContext())
