"""Events fold into results, also after a trip through their file."""

import json
from pathlib import Path

import pytest
from support.events import begun, ended, step_ended
from support.playing import play_text, recipe_of

from runner.events import from_json, line, read, to_json
from runner.fold import MOST, Fold, RunResult, exit_code, fold
from runner.report.files import EventsFile
from runner.report.rebuild import rebuild
from runner.result import BenchLost, CaseFinished, Measured, Outcome, Problem, RunFinished, RunStarted

RECIPE = "teardown: [{fail: stuck}]\n" + recipe_of(
    "{log: x}",
    "{command: x, measure: {m: {value: result.elapsed, max: 9}}, register: r}",
    "{fail: 'no ü \\x1b'}",
)


class Options:
    strict_flaky = False
    fail_on_skip = False
    allow_empty = False


def test_the_result_is_what_its_events_fold_into(tmp_path: Path) -> None:
    played = play_text(tmp_path, RECIPE)

    assert fold(played.events) == played.result


def test_events_survive_their_trip_through_json(tmp_path: Path) -> None:
    played = play_text(tmp_path, RECIPE)
    again = [from_json(json.loads(line(event))) for event in played.events]

    assert [to_json(event) for event in again] == [to_json(event) for event in played.events]
    assert fold(again).counts == played.result.counts


def test_the_last_line_of_a_killed_run_may_be_cut_off(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    started = RunStarted(t=0, run="r", started="s", version="0", recipes=("a",), folder="f")
    file.write_bytes(line(started) + line(started)[:20])

    assert list(read(file)) == [started]


def test_reports_made_again_are_the_same_to_the_byte(tmp_path: Path) -> None:
    played = play_text(tmp_path, RECIPE)
    events = EventsFile(tmp_path)
    for event in played.events:
        events.hear(event)
    events.close()

    first = {path.name: path.read_bytes() for path in rebuild(tmp_path)}
    again = {path.name: path.read_bytes() for path in rebuild(tmp_path)}

    assert set(first) == {"junit.xml", "results.json", "report.html"}
    assert first == again


def result_of(*outcomes: Outcome, clean_up: bool = False) -> RunResult:
    common = {"t": 0.0, "play": "", "test": "", "bench": "", "recipe": "", "at": "", "seconds": 0.0}
    cases = [CaseFinished(case=str(number), outcome=each, **common) for number, each in enumerate(outcomes)]  # type: ignore[arg-type]
    return RunResult(cases=cases, clean_up=[Problem(message="x")] if clean_up else [])


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([Outcome.PASSED, Outcome.SKIPPED, Outcome.XFAILED, Outcome.FLAKY], 0),
        ([Outcome.PASSED, Outcome.FAILED, Outcome.ERROR], 1),
        ([Outcome.XPASSED], 1),
        ([Outcome.ERROR, Outcome.PASSED], 3),
        ([Outcome.BLOCKED, Outcome.PASSED], 3),
        ([Outcome.CANCELLED], 3),
        ([Outcome.SKIPPED], 2),
        ([], 2),
    ],
)
def test_the_exit_code_follows_from_the_outcomes(outcomes: list[Outcome], code: int) -> None:
    assert exit_code(result_of(*outcomes), Options()) == code


def test_clean_up_refusal_and_signals_have_codes_of_their_own() -> None:
    assert exit_code(result_of(Outcome.PASSED, clean_up=True), Options()) == 5
    assert exit_code(result_of(Outcome.BLOCKED), Options(), refused=True) == 4
    assert exit_code(result_of(Outcome.FAILED), Options(), refused=True) == 1
    assert exit_code(result_of(Outcome.PASSED), Options(), signal=2) == 130
    assert exit_code(result_of(Outcome.PASSED), Options(), signal=15) == 143


def test_a_lost_bench_is_kept() -> None:
    lost = BenchLost(t=0, play="p", bench="b", problem=Problem(message="x"))

    assert fold([lost]).lost == [lost]


def test_a_loop_of_millions_does_not_fill_the_memory() -> None:
    measured = Measured(name="m", value=1.0)
    folded = Fold()
    folded.hear(begun())
    for _ in range(MOST + 5):
        folded.hear(step_ended(Outcome.FAILED, ignored=True, measures=(measured, measured)))
    result = folded.result

    assert (len(result.measures["q::t@b"]), len(result.bad_steps["q::t@b"])) == (MOST, MOST)
    assert result.left_out == {"q::t@b": 2 * 5 + MOST + 5}
    assert result.steps == MOST + 5


def test_only_the_last_attempt_counts() -> None:
    measured = Measured(name="m", value=1.0)
    first = [begun(), step_ended(Outcome.FAILED, measures=(measured,))]
    result = fold([*first, begun(attempt=2), step_ended(), ended(Outcome.FLAKY)])

    assert (result.measures, result.bad_steps) == ({}, {})


def test_a_case_that_began_and_did_not_end_is_known() -> None:
    assert list(fold([begun("t"), begun("u"), ended(name="t")]).unfinished) == ["q::u@b"]


def test_why_the_run_ended_badly_is_kept() -> None:
    problem = Problem(message="x")

    assert fold([RunFinished(t=0, seconds=1, exit_code=3, counts={}, problem=problem)]).problem == problem


def test_flags_turn_flaky_and_skipped_into_failures_and_nothing_into_success() -> None:
    strict, skip, empty = Options(), Options(), Options()
    strict.strict_flaky = skip.fail_on_skip = empty.allow_empty = True

    assert exit_code(result_of(Outcome.FLAKY), strict) == 1
    assert exit_code(result_of(Outcome.PASSED, Outcome.SKIPPED), skip) == 1
    assert exit_code(result_of(), empty) == 0
    assert exit_code(result_of(clean_up=True), empty) == 5
