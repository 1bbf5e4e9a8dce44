"""The last lines of a run."""

from support.events import STARTED, ended, finished

from runner.fold import fold
from runner.report.colours import Paint
from runner.report.summary import text
from runner.result import BenchTaken, Event, Outcome, Problem, RunFinished


def lines(*events: Event) -> list[str]:
    return text(fold([STARTED, *events]), Paint(on=False)).splitlines()


def test_it_counts_and_says_where_the_report_is() -> None:
    assert lines(ended(), ended(Outcome.SKIPPED, "u"), finished()) == [
        "1 passed, 1 skipped in 2.00 s",
        "report: results/r/report.html  junit: results/r/junit.xml",
    ]


def test_it_says_so_when_there_was_no_case() -> None:
    assert lines(finished(2))[0] == "no case in 2.00 s"
    assert lines(finished(2))[-1] == "exit code 2: no case was executed"


def test_bad_cases_are_named_again_with_why() -> None:
    problem = Problem(message="no prompt")
    found = lines(ended(), ended(Outcome.FAILED, "u", problem=problem), finished(1))

    assert found[:2] == ["", "failed    q::u@b: no prompt"]


def test_of_many_bad_cases_twenty_are_named_and_the_rest_counted() -> None:
    found = lines(*[ended(Outcome.ERROR, str(number)) for number in range(23)], finished(3))

    assert len([line for line in found if line.startswith("error ")]) == 20
    assert "… and 3 more" in found


def test_cases_that_one_thing_has_blocked_are_one_line() -> None:
    lost, other = Problem(message="no card"), Problem(message="no power")
    blocked = [ended(Outcome.BLOCKED, name, problem=lost) for name in ("a", "b", "c")]
    found = lines(*blocked, ended(Outcome.BLOCKED, "d", problem=other), finished(3))

    assert found[:3] == ["", "blocked   q::a@b and 2 more: no card", "blocked   q::d@b: no power"]


def test_the_slowest_cases_are_named_slowest_first() -> None:
    seconds = {"a": 2.0, "b": 61.5, "c": 0.9, "d": 3.0, "e": 2.5}
    found = lines(*[ended(name=name, seconds=value) for name, value in seconds.items()], finished())

    assert "slowest: q::b@b 1m1.5s, q::d@b 3s, q::e@b 2.5s" in found


def test_benches_without_hardware_are_named() -> None:
    taken = BenchTaken(t=0, play="p", bench="b", host="h", simulated=("board",))

    assert "simulated: b (no hardware was behind them)" in lines(taken, ended(), finished())


def test_why_the_run_itself_ended_is_said() -> None:
    end = RunFinished(t=2, seconds=2, exit_code=3, counts={}, problem=Problem(message="the disk is full"))

    assert "the disk is full" in lines(end)
    assert lines(end)[-1] == "exit code 3: the lab, or a set-up that did not pass"
