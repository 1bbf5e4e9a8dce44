"""ctrl_c and sysrq_reboot: what they do to a console."""

import pytest
from support.context import StepContext, Terminal

from runner.api import Context, Duration, Unsupported
from runner.modules.console.ctrl_c import CtrlC
from runner.modules.console.sysrq_reboot import SysrqReboot


class Line(Terminal):
    """A console whose port can send a break."""

    def send_break(self, duration: Duration, context: Context) -> None:
        del context
        self.calls.append(("break", duration))


def names(terminal: Terminal) -> list[object]:
    return [call[0] if call[0] != "send" else call[1] for call in terminal.calls]


def test_ctrl_c_says_where_the_console_is() -> None:
    terminal = Terminal()

    assert CtrlC(within=Duration(3), console=terminal).run(StepContext()).prompt == "shell"
    assert terminal.calls == [("interrupt", 3)]


def test_the_magic_key_comes_behind_a_break_and_old_output_does_not_count() -> None:
    terminal, other = Line(), Terminal()

    result = SysrqReboot(console=terminal, others=(terminal, other)).run(StepContext())

    assert result.by == "break"
    assert names(terminal) == ["power_mark", "break", b"b", "expect"]
    assert terminal.calls[-1][2]["since"] == "power_on"
    assert names(other) == ["power_mark"]


def test_without_a_break_a_shell_is_asked() -> None:
    terminal = Terminal()

    result = SysrqReboot(console=terminal).run(StepContext())

    assert result.by == "shell"
    assert names(terminal) == ["interrupt", "power_mark", b"echo b >/proc/sysrq-trigger\n", "expect"]


def test_a_shell_can_be_asked_for() -> None:
    terminal = Line()

    SysrqReboot(by="shell", console=terminal).run(StepContext())

    assert "break" not in names(terminal)


def test_a_break_that_the_console_does_not_have_is_unsupported() -> None:
    with pytest.raises(Unsupported, match="console 'uart' on bench 'bench' cannot send a break"):
        SysrqReboot(by="break", console=Terminal()).run(StepContext(console="uart"))
