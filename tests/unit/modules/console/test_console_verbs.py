"""The console verbs: what they ask of a console, and how they judge its answers."""

import pytest
from support.context import StepContext, Terminal, ran

from runner.api import ByteString, Duration, Failed, RecipeFault, Secret, Unsupported
from runner.console import Pattern
from runner.modules.console.console_close import ConsoleClose
from runner.modules.console.console_cmd import ConsoleCmd
from runner.modules.console.console_log import ConsoleLog
from runner.modules.console.console_login import ConsoleLogin
from runner.modules.console.console_mark import ConsoleMark
from runner.modules.console.console_script import ConsoleScript, Line
from runner.modules.console.console_send import ConsoleSend
from runner.modules.console.expect_console import ExpectConsole


def patterns(terminal: Terminal) -> list[Pattern]:
    [(_, given, _)] = terminal.calls
    assert isinstance(given, list)
    return given


def options(terminal: Terminal) -> dict[str, object]:
    [(_, _, given)] = terminal.calls
    assert isinstance(given, dict)
    return given


def test_a_command_returns_its_output_and_status() -> None:
    terminal = Terminal()
    terminal.ran = [ran("6.1.38")]

    result = ConsoleCmd(command="uname -r", timeout=Duration(5), console=terminal).run(StepContext())

    assert (result.output, result.status) == ("6.1.38", 0)
    assert terminal.calls == [("run", "uname -r", 5)]


def test_a_failed_command_says_its_status_and_shows_the_end_of_its_output() -> None:
    terminal = Terminal()
    terminal.ran = [ran("\n".join(map(str, range(30))), 3)]

    with pytest.raises(Failed) as caught:
        ConsoleCmd(command="uname -r", console=terminal).run(StepContext())

    assert caught.value.message == "exit status 3, expected 0: uname -r"
    assert caught.value.evidence["output"] == "\n".join(map(str, range(10, 30)))
    assert caught.value.result.status == 3


@pytest.mark.parametrize(("status", "check"), [(3, False), (None, True)])
def test_a_status_that_is_not_checked_or_not_known_does_not_fail(status: int | None, check: bool) -> None:
    terminal = Terminal()
    terminal.ran = [ran("", status)]

    assert ConsoleCmd(command="x", check=check, console=terminal).run(StepContext()).status == status


def test_a_login_passes_user_password_and_limit_on() -> None:
    terminal = Terminal()

    ConsoleLogin(user="me", password=Secret("pw"), within=Duration(7), console=terminal).run(StepContext())

    assert terminal.calls == [("login", "me", "pw", 7)]


def test_a_mark_returns_its_position() -> None:
    terminal = Terminal()
    terminal.bytes = 12

    assert ConsoleMark(name="update", console=terminal).run(StepContext()).position == 12
    assert terminal.calls == [("mark", "update")]


@pytest.mark.parametrize("name", ["last", "start", "now", "step", "power_on", ""])
def test_a_mark_cannot_take_a_name_with_a_meaning(name: str) -> None:
    with pytest.raises(RecipeFault, match="have a meaning"):
        ConsoleMark(name=name, console=Terminal()).run(StepContext())


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ({"text": "y"}, b"y"),
        ({"text": "y", "enter": True}, b"y\n"),
        ({"text": "", "enter": True}, b"\n"),
        ({"enter": True}, b"\n"),
        ({"data": ByteString("03 00")}, b"\x03\x00"),
        ({"keys": "enter"}, b"\n"),
        ({"keys": "ctrl_c"}, b"\x03"),
        ({"keys": ["ctrl_c", "escape", "up", "f2", "enter"]}, b"\x03\x1b\x1b[A\x1bOQ\n"),
        ({"keys": ["ctrl_a", "ctrl_z"], "enter": True}, b"\x01\x1a\n"),
    ],
)
def test_text_bytes_and_keys_are_typed_as_they_are(arguments: dict[str, object], sent: bytes) -> None:
    terminal = Terminal()

    result = ConsoleSend(**arguments, console=terminal).run(StepContext())

    assert terminal.calls == [("send", sent)]
    assert result.sent == len(sent)


def test_typing_is_repeated_with_a_pause() -> None:
    terminal, context = Terminal(), StepContext()

    result = ConsoleSend(keys="escape", repeat=3, interval=Duration("20ms"), console=terminal).run(context)

    assert terminal.calls == [("send", b"\x1b")] * 3
    assert context.slept == [0.02, 0.02]
    assert result.sent == 3


@pytest.mark.parametrize(
    "arguments", [{}, {"text": "y", "keys": "escape"}, {"text": "", "data": ByteString("")}]
)
def test_typing_needs_exactly_one_thing_to_type(arguments: dict[str, object]) -> None:
    with pytest.raises(RecipeFault, match="one of 'text', 'data', 'keys' and 'break_for'"):
        ConsoleSend(**arguments, console=Terminal()).run(StepContext())


def test_a_pace_of_its_own_is_passed_on() -> None:
    terminal = Terminal()

    ConsoleSend(text="slow", char_delay=Duration("50ms"), console=terminal).run(StepContext())

    assert terminal.calls == [("send", b"slow", 0.05)]


def test_a_break_is_not_supported_by_a_console_that_is_no_serial_port() -> None:
    with pytest.raises(Unsupported, match="not supported by this console, 'uart'"):
        ConsoleSend(break_for=Duration("250ms"), console=Terminal()).run(StepContext(console="uart"))


def test_a_pattern_is_a_regular_expression_and_exact_text_is_not() -> None:
    one, other = Terminal(), Terminal()

    ExpectConsole(pattern="ready [0-9]", console=one).run(StepContext())
    ExpectConsole(exact="ready [0-9]", console=other).run(StepContext())

    assert patterns(one)[0].exact is None
    assert patterns(other)[0].exact == b"ready [0-9]"


def test_a_mapping_names_its_patterns() -> None:
    terminal = Terminal()

    ExpectConsole(any_of={"ok": "PASS", "bad": "FAIL"}, console=terminal).run(StepContext())

    assert [(each.name, each.source) for each in patterns(terminal)] == [("ok", "PASS"), ("bad", "FAIL")]
    assert options(terminal)["all_of"] is False


def test_all_of_wants_every_pattern_and_ordered_their_order() -> None:
    terminal = Terminal()

    ExpectConsole(all_of=["a", "b"], ordered=True, console=terminal).run(StepContext())

    assert [each.source for each in patterns(terminal)] == ["a", "b"]
    assert (options(terminal)["all_of"], options(terminal)["ordered"]) == (True, True)


def test_patterns_of_all_of_and_forbid_may_have_names() -> None:
    terminal = Terminal()

    ExpectConsole(all_of={"net": "up"}, forbid={"bad": "down"}, console=terminal).run(StepContext())

    assert [(each.name, each.source) for each in patterns(terminal)] == [("net", "up")]
    forbidden = options(terminal)["forbid"]
    assert isinstance(forbidden, list)
    assert [(each.name, each.source) for each in forbidden] == [("bad", "down")]


def test_since_step_is_where_this_step_began() -> None:
    terminal = Terminal()

    ExpectConsole(pattern="x", since="step", console=terminal).run(StepContext())

    assert [call[0] for call in terminal.calls] == ["mark", "expect"]
    assert terminal.calls[0] == ("mark", "step")


def test_a_line_is_written_into_the_console_s_log_and_the_report() -> None:
    terminal, context = Terminal(), StepContext()
    terminal.bytes = 7

    assert ConsoleLog(text="here", console=terminal).run(context).position == 7
    assert terminal.calls == [("remark", "here")]
    assert context.said == [("info", "here")]


def test_closing_says_whether_it_was_open() -> None:
    terminal, context = Terminal(), StepContext()

    assert ConsoleClose(console=terminal).run(context).was_open
    assert not ConsoleClose(console=terminal).run(context).was_open
    assert len(context.said) == 1


def test_a_script_keeps_the_status_and_output_of_each_command() -> None:
    terminal = Terminal()
    terminal.ran = [ran("one"), ran("two", 3), ran("three")]
    lines = [Line(command="a"), Line(command="b", check=False, timeout=Duration(5)), Line(command="c")]

    result = ConsoleScript(commands=lines, timeout=Duration(9), console=terminal).run(StepContext())

    assert [(each.command, each.output, each.status) for each in result.commands] == [
        ("a", "one", 0),
        ("b", "two", 3),
        ("c", "three", 0),
    ]
    assert result.failed == 0
    assert terminal.calls == [("run", "a", 9), ("run", "b", 5), ("run", "c", 9)]


def test_a_script_stops_at_the_first_failing_command_and_says_what_was_not_run() -> None:
    terminal = Terminal()
    terminal.ran = [ran("fine"), ran("no such file", 2)]

    with pytest.raises(
        Failed, match="command 2 of 3 ended with status 2, expected 0: b; 1 not run"
    ) as caught:
        ConsoleScript(commands=[Line(command=each) for each in "abc"], console=terminal).run(StepContext())

    assert caught.value.evidence["output"] == "no such file"
    assert [each.status for each in caught.value.result.commands] == [0, 2]


def test_a_script_that_keeps_going_runs_all_and_fails_then() -> None:
    terminal = Terminal()
    terminal.ran = [ran("", 1), ran("", None), ran("", 4)]
    lines = [Line(command=each) for each in "abc"]

    with pytest.raises(
        Failed, match="command 1 of 3 ended with status 1, expected 0: a; 1 more failed$"
    ) as caught:
        ConsoleScript(commands=lines, keep_going=True, console=terminal).run(StepContext())

    assert caught.value.evidence["failed"] == ["a", "c"]
    assert len(terminal.calls) == 3


def test_a_script_that_does_not_check_runs_all() -> None:
    terminal = Terminal()
    terminal.ran = [ran("", 1), ran("", 2)]

    result = ConsoleScript(
        commands=[Line(command="a"), Line(command="b")], check=False, console=terminal
    ).run(StepContext())

    assert ([each.status for each in result.commands], result.failed) == ([1, 2], 0)


def test_everything_else_is_passed_on() -> None:
    terminal = Terminal()

    ExpectConsole(
        pattern="x",
        forbid=["panic"],
        absent=True,
        count=2,
        since="update",
        within=Duration(3),
        console=terminal,
    ).run(StepContext())

    given = options(terminal)
    assert [each.source for each in given.pop("forbid")] == ["panic"]
    assert given == {
        "within": 3,
        "since": "update",
        "absent": True,
        "all_of": False,
        "ordered": False,
        "count": 2,
    }


@pytest.mark.parametrize(
    "arguments", [{}, {"pattern": "x", "exact": "x"}, {"any_of": ["a"], "all_of": ["b"]}]
)
def test_waiting_needs_exactly_one_kind_of_pattern(arguments: dict[str, object]) -> None:
    with pytest.raises(RecipeFault, match="one of 'pattern', 'exact', 'any_of' and 'all_of'"):
        ExpectConsole(**arguments, console=Terminal()).run(StepContext())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"pattern": "("}, "pattern: .* is not a regular expression"),
        ({"pattern": "a*"}, "pattern: .* matches the empty text"),
        ({"exact": ""}, "exact: an empty pattern"),
        ({"any_of": {"ok": "["}}, "any_of: "),
        ({"pattern": "x", "forbid": ["["]}, "forbid: "),
    ],
)
def test_an_impossible_pattern_names_its_argument(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(RecipeFault, match=said):
        ExpectConsole(**arguments, console=Terminal()).run(StepContext())
