"""The run as plain lines."""

import io

import pytest
from support.events import STARTED, begun, ended, finished, heard, step_begun, step_ended

from runner.fold import Fold
from runner.report.colours import Paint
from runner.report.plain import Plain
from runner.result import (
    ArtifactSaved,
    BenchLost,
    BenchReleased,
    BenchTaken,
    DeviceOpened,
    Event,
    Logged,
    Measured,
    Outcome,
    PlayFinished,
    PlayStarted,
    Problem,
    Progress,
    RunFinished,
)

PROBLEM = Problem(
    message="no prompt", blame="board", evidence={"within": 5}, hint="is it on?", at="q.yaml:4:7"
)


class Printed:
    """Plain lines of events, with a clock in the test's hand."""

    def __init__(self, *, verbose: int = 0, console: bool = False, colours: bool = False) -> None:
        self.now = 0.0
        self._stream = io.StringIO()
        self._fold = Fold()
        self.plain = Plain(
            self._stream,
            Paint(on=colours),
            self._fold.result,
            verbose=verbose,
            console=console,
            clock=lambda: self.now,
        )

    def lines(self, *events: Event) -> list[str]:
        """Return what these events print, without the indent of blocks of lines."""
        for event in events:
            self._fold.hear(event)
            self.plain.hear(event)
        return self.rest()

    def rest(self) -> list[str]:
        found = self._stream.getvalue().splitlines()
        self._stream.seek(0)
        self._stream.truncate()
        return found


def test_a_finished_case_is_one_line() -> None:
    assert Printed().lines(begun(), step_begun(), step_ended(), ended()) == ["passed    q::t@b  0.50 s"]


def test_the_reason_of_a_skip_stands_in_its_line() -> None:
    assert Printed().lines(ended(Outcome.SKIPPED, reason="no CAN")) == ["skipped   q::t@b  0.50 s  (no CAN)"]


def test_a_failed_step_shows_all_that_is_known() -> None:
    assert Printed().lines(step_ended(Outcome.FAILED, problem=PROBLEM)) == [
        "  failed b: n  0.25 s",
        "      no prompt",
        "        within: 5",
        "        at q.yaml:4:7",
        "        hint: is it on?",
    ]


def test_blocks_around_a_failed_step_do_not_say_it_again() -> None:
    found = Printed().lines(
        begun(),
        step_ended(Outcome.FAILED, "inner", depth=1, problem=PROBLEM),
        step_ended(Outcome.FAILED, "outer", problem=PROBLEM),
        ended(Outcome.FAILED, problem=PROBLEM),
        begun(name="u"),
        ended(Outcome.FAILED, "u", problem=PROBLEM),
    )

    assert [line for line in found if "no prompt" in line] == ["      no prompt", "      no prompt"]
    assert found[found.index("    failed b: inner  0.25 s") + 1] == "      no prompt"
    assert found[-5:-3] == ["failed    q::u@b  0.50 s", "      no prompt"]


def test_a_second_attempt_says_so_and_tells_its_problem_again() -> None:
    found = Printed().lines(
        begun(),
        step_ended(Outcome.FAILED, problem=PROBLEM),
        begun(attempt=2),
        step_ended(Outcome.FAILED, problem=PROBLEM),
    )

    assert "again     q::t@b  attempt 2" in found
    assert found.count("      no prompt") == 2


def test_an_ignored_failure_is_for_those_who_ask() -> None:
    step = step_ended(Outcome.FAILED, problem=PROBLEM, ignored=True)

    assert Printed().lines(step) == []
    assert Printed(verbose=1).lines(step)[0] == "  ignored b: n  0.25 s"


def test_a_blocked_case_names_the_cause_in_its_line() -> None:
    assert Printed().lines(ended(Outcome.BLOCKED, problem=PROBLEM)) == [
        "blocked   q::t@b  0.50 s  (no prompt)"
    ]


def test_a_cause_that_blocks_case_after_case_is_told_once() -> None:
    first, second = (ended(Outcome.BLOCKED, name, problem=PROBLEM) for name in ("t", "u"))

    assert Printed().lines(first, second)[1] == "blocked   q::u@b  0.50 s  (the same)"


def test_a_measure_outside_its_limits_is_shown_and_a_good_one_on_demand() -> None:
    measures = (Measured(name="good", value=1), Measured(name="near", value=2, unit="V", verdict="marginal"))
    step = step_ended(measures=measures)

    assert Printed().lines(step) == ["      measure near: 2 V [marginal]"]
    assert len(Printed(verbose=1).lines(step)) == 3


def test_a_traceback_is_only_for_those_who_ask_three_times() -> None:
    crash = Problem(message="KeyError: 'x'", blame="crash", traceback="Traceback\n  line\nKeyError: 'x'\n")
    step = step_ended(Outcome.ERROR, problem=crash)

    assert Printed().lines(step)[1:] == [
        "      KeyError: 'x'",
        "        (the traceback: -vvv, and in events.jsonl)",
    ]
    assert "      Traceback" in Printed(verbose=3).lines(step)


@pytest.mark.parametrize(
    ("level", "verbose", "shown"),
    [("debug", 0, 0), ("debug", 1, 0), ("debug", 2, 1), ("info", 0, 1), ("warning", 0, 1), ("error", 0, 1)],
)
def test_what_modules_say_is_shown_by_its_weight(level: str, verbose: int, shown: int) -> None:
    event = Logged(t=0, text="x", level=level, bench="b")  # type: ignore[arg-type]

    assert len(Printed(verbose=verbose).lines(event)) == shown


def test_what_only_the_curious_want_is_shown_with_v() -> None:
    events = [
        step_begun(),
        ArtifactSaved(t=0, path="artifacts/b/x"),
        DeviceOpened(t=0, bench="b", device="uart", driver="serial", seconds=0.1),
    ]

    assert [len(Printed(verbose=verbose).lines(*events)) for verbose in (0, 1, 2)] == [0, 2, 3]


def test_a_lost_bench_and_a_simulated_one_are_named() -> None:
    printed = Printed()
    taken = BenchTaken(t=0, play="p", bench="b", host="h", simulated=("board",), waited=3.2)
    lost = BenchLost(t=0, play="p", bench="b", problem=PROBLEM)

    assert printed.lines(taken) == ["bench b on h (simulated), waited 3 s"]
    assert printed.lines(lost)[:2] == ["bench lost b", "      no prompt"]


def test_how_many_of_the_benches_are_used_is_said() -> None:
    some = PlayStarted(t=0, play="p", recipe="q", benches=("a", "b"), cases=2, take=1)
    every = PlayStarted(t=0, play="p", recipe="q", benches=("a", "b"), cases=4, take=2)

    assert Printed().lines(some, every) == ["play p  2 cases on 1 of a, b", "play p  4 cases on a, b"]


def test_clean_up_is_told_once_at_the_end() -> None:
    found = Printed().lines(
        STARTED,
        PlayStarted(t=0, play="p", recipe="q", benches=("b",), cases=1),
        ended(),
        BenchReleased(t=0, play="p", bench="b", problem=PROBLEM),
        PlayFinished(t=0, play="p", problems=(PROBLEM,)),
        finished(5),
    )

    assert found == [
        "run r: q.yaml",
        "play p  1 case on b",
        "passed    q::t@b  0.50 s",
        "1 passed in 2.00 s",
        "clean-up: no prompt (at q.yaml:4:7)",
        "report: results/r/report.html  junit: results/r/junit.xml",
        "exit code 5: the cases are fine, clean-up is not",
    ]


def test_a_long_step_gives_a_sign_of_life_every_ten_seconds() -> None:
    printed = Printed()
    printed.lines(step_begun("outer"), step_begun("inner", depth=1))
    said = []
    for printed.now in (5.0, 9.9, 10.0, 15.0, 19.9, 20.0):
        printed.plain.beat()
        said.append(printed.rest())

    assert said == [[], [], ["  … b: inner  10s"], [], [], ["  … b: inner  20s"]]
    printed.lines(step_ended(name="inner", depth=1))
    printed.now = 30.0
    printed.plain.beat()
    assert printed.rest() == ["  … b: outer  30s"]


def test_the_sign_of_life_says_how_far_it_is() -> None:
    printed = Printed()
    first = Progress(t=0, step="tests[0].n", bench="b", case="q::t@b", done=0, total=4 * 2**20)
    last = Progress(t=10, step="tests[0].n", bench="b", case="q::t@b", done=2**20, total=4 * 2**20)
    printed.now = 0.0
    assert printed.lines(step_begun(), first, last) == []
    printed.now = 10.0
    printed.plain.beat()

    assert printed.rest() == ["  … b: n  10s  1 MiB of 4 MiB, 102.4 KiB/s, 30s left"]


def test_console_lines_have_their_bench_and_time_and_are_whole() -> None:
    printed = Printed(console=True)
    for piece in (b"one\r\nt", b"wo\n", b"=> "):
        printed.plain.console(heard(piece))
    printed.plain.console(heard(b"", gap="lost: gone"))
    found = printed.rest()

    assert [line.partition(" ")[2] for line in found] == [
        "b | one",
        "b | two",
        "b | (console uart: lost: gone)",
    ]
    assert [len(line.split(" ", 1)[0]) for line in found] == [8, 8, 8]
    printed.plain.close()
    assert [line.partition(" ")[2] for line in printed.rest()] == ["b | => "]


def test_what_a_console_did_not_end_comes_before_the_summary() -> None:
    printed = Printed(console=True)
    printed.plain.console(heard(b"=> "))
    printed.plain.hear(RunFinished(t=1, seconds=1, exit_code=0, counts={}))
    first, *summary = printed.rest()
    printed.plain.close()

    assert first.endswith(" b | => ")
    assert summary
    assert printed.rest() == []


def test_a_countdown_is_shown_as_a_terminal_shows_it() -> None:
    printed = Printed(console=True)
    printed.plain.console(heard(b"stop autoboot:  2 \b\b\b 1 \b\b\b 0 \r\n\b\bx\n"))

    assert [line.partition(" | ")[2] for line in printed.rest()] == ["stop autoboot:  0 ", "x"]


def test_console_lines_are_not_printed_unasked() -> None:
    printed = Printed()
    printed.plain.console(heard(b"one\n"))
    printed.plain.close()

    assert printed.rest() == []


def test_a_line_without_end_is_printed_in_parts() -> None:
    printed = Printed(console=True)
    for _ in range(10):
        printed.plain.console(heard(b"x" * 1000))

    assert [line.count("x") for line in printed.rest()] == [4096, 4096]


@pytest.mark.parametrize("colours", [False, True])
def test_nothing_that_a_board_says_moves_the_cursor(colours: bool) -> None:
    nasty = "\x1b[2J\x1b]0;x\x07\r\x9b1A\u202e\ud800"
    problem = Problem(message=nasty, evidence={nasty: nasty}, console=nasty, at=nasty, hint=nasty)
    printed = Printed(console=True, colours=colours)
    printed.plain.console(heard(nasty.encode("utf-8", "surrogatepass") + b"\n"))
    found = "\n".join(
        printed.lines(
            step_ended(Outcome.FAILED, name=nasty, problem=problem, reason=nasty),
            Logged(t=0, text=nasty),
            ended(Outcome.FAILED, name=nasty, problem=problem),
            finished(1),
        )
    )

    for character in "\x07\r\x9b\u202e\ud800":
        assert character not in found
    assert "\x1b[2J" not in found
    assert ("\x1b[31m" in found) == colours
    assert "\\x1b[2J\\x1b]0;x\\x07" in found
