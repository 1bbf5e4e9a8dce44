"""Each keyword of a step, played."""

from pathlib import Path

import pytest
from support.playing import ENDED, play_text, recipe_of

from runner.agent.calls import Run
from runner.api import Failed, LabError, TimedOut
from runner.result import Outcome


def test_a_register_can_be_used_by_later_steps(tmp_path: Path) -> None:
    played = play_text(
        tmp_path,
        recipe_of("{command: x, register: done}", "{assert: done.stdout == 'abc'}"),
        answer=lambda _run: {**ENDED, "stdout": "abc"},
    )

    assert played.outcomes == {"t@b": "passed"}


def test_set_gives_variables_to_the_rest_of_the_test(tmp_path: Path) -> None:
    played = play_text(tmp_path, recipe_of("{set: {a: 1, b: '{{ 1 + 1 }}'}}", "{assert: a + b == 3}"))

    assert played.outcomes == {"t@b": "passed"}


def test_a_step_whose_condition_is_false_is_skipped_with_its_operands(tmp_path: Path) -> None:
    played = play_text(tmp_path, recipe_of("{set: {n: 3}}", "{fail: no, when: n > 5}"))

    assert played.outcomes == {"t@b": "passed"}
    assert played.steps[1].outcome is Outcome.SKIPPED
    assert played.steps[1].reason == "when: n > 5 (n is 3)"


def test_a_condition_that_is_text_is_an_error_of_the_recipe(tmp_path: Path) -> None:
    played = play_text(tmp_path, recipe_of("{set: {n: abc}}", "{log: x, when: n}"))

    problem = played.case("t").problem
    assert played.outcomes == {"t@b": "error"}
    assert problem is not None
    assert problem.blame == "recipe"
    assert problem.message == "a condition is true or false, and n is 'abc'"


def test_a_name_is_filled_in_for_each_turn_and_shown_as_written_where_a_value_is_missing(
    tmp_path: Path,
) -> None:
    played = play_text(
        tmp_path,
        recipe_of(
            "{log: x, name: 'port {{ item }}', loop: [1, 2]}",
            "{command: x, when: 1 > 2, register: gone}",
            "{log: x, name: 'after {{ gone.stdout }}'}",
        ),
    )

    assert [step.name for step in played.steps if step.verb == "log"] == [
        "port 1 [1]",
        "port 2 [2]",
        "after {{ gone.stdout }}",
    ]


@pytest.mark.parametrize(
    ("loop", "said"),
    [
        ("[a, b]", ["a", "b"]),
        ("'{{ range(3) }}'", ["0", "1", "2"]),
        ("{x: 1, y: 2}", ["{'key': 'x', 'value': 1}", "{'key': 'y', 'value': 2}"]),
    ],
)
def test_a_loop_repeats_for_lists_ranges_and_mappings(tmp_path: Path, loop: str, said: list[str]) -> None:
    played = play_text(tmp_path, recipe_of(f"{{log: 'x {{{{ item }}}}', loop: {loop}}}"))

    assert played.logs() == [f"x {each}" for each in said]


def test_a_loop_variable_and_a_label_can_be_named(tmp_path: Path) -> None:
    played = play_text(
        tmp_path,
        recipe_of("{log: 'x {{ rate }}', loop: [10, 20], loop_var: rate, label: '{{ rate }} kbit/s'}"),
    )

    assert [step.name.rpartition(" [")[2] for step in played.steps] == ["10 kbit/s]", "20 kbit/s]"]


def test_a_loop_over_nothing_is_skipped(tmp_path: Path) -> None:
    played = play_text(tmp_path, recipe_of("{fail: no, loop: []}"))

    assert played.steps[0].reason == "its loop has no items"


def test_the_register_of_a_loop_is_the_list_of_its_results(tmp_path: Path) -> None:
    played = play_text(
        tmp_path,
        recipe_of(
            "{command: '{{ item }}', loop: [a, b], register: all}", "{assert: \"all[1].stdout == 'b'\"}"
        ),
        answer=lambda run: {**ENDED, "stdout": run.arguments["command"]},
    )

    assert played.outcomes == {"t@b": "passed"}


def test_every_expectation_is_judged_and_the_operands_are_shown(tmp_path: Path) -> None:
    played = play_text(
        tmp_path,
        recipe_of("{command: x, expect: [result.status == 1, result.stdout == 'b', result.status == 0]}"),
    )

    problem = played.case("t").problem
    assert problem is not None
    assert problem.message == "expected result.status == 1, but result.status is 0 (and 1 more)"
    assert problem.evidence == {
        "result.status == 1": {"result.status": 0},
        "result.stdout == 'b'": {"result.stdout": ""},
    }


@pytest.mark.parametrize(
    ("limits", "outcome", "verdict"),
    [
        ("max: 40", "passed", "pass"),
        ("max: 20", "failed", "fail"),
        ("min: 31", "failed", "fail"),
        ("equals: 30", "passed", "pass"),
        ("equals: 29", "failed", "fail"),
        ("max: 40, warn: 25", "passed", "marginal"),
        ("min: 10, warn: 35", "passed", "marginal"),
    ],
)
def test_a_measurement_is_held_against_its_limits(
    tmp_path: Path, limits: str, outcome: str, verdict: str
) -> None:
    played = play_text(
        tmp_path,
        recipe_of(f"{{command: x, measure: {{boot: {{value: result.elapsed, unit: s, {limits}}}}}}}"),
        answer=lambda _run: {**ENDED, "elapsed": 30.0},
    )

    assert played.outcomes == {"t@b": outcome}
    assert [(each.name, each.value, each.unit, each.verdict) for each in played.steps[0].measures] == [
        ("boot", 30.0, "s", verdict)
    ]


def test_until_repeats_and_is_judged_on_the_last_try(tmp_path: Path) -> None:
    answers = iter(["no", "no", "yes"])
    played = play_text(
        tmp_path,
        recipe_of(
            "{command: x, until: result.stdout == 'yes', retries: 5, delay: 0s, expect: result.stdout == 'yes'}"
        ),
        answer=lambda _run: {**ENDED, "stdout": next(answers)},
    )

    assert played.outcomes == {"t@b": "passed"}
    assert played.steps[0].attempts == 3


def test_until_gives_up_when_its_retries_are_used_up(tmp_path: Path) -> None:
    played = play_text(
        tmp_path, recipe_of("{command: x, until: result.stdout == 'yes', retries: 2, delay: 0s}")
    )

    problem = played.case("t").problem
    assert played.outcomes == {"t@b": "failed"}
    assert problem is not None
    assert problem.message == "result.stdout == 'yes' did not hold after 3 attempts: result.stdout is ''"
    assert problem.evidence["limit"] == "its retries are used up"


def test_until_stops_at_the_first_error_of_the_lab(tmp_path: Path) -> None:
    def broken(_run: Run) -> None:
        raise LabError("no such port")

    played = play_text(
        tmp_path, recipe_of("{command: x, until: result.status == 0, retries: 9}"), answer=broken
    )

    assert played.outcomes == {"t@b": "error"}
    assert len(played.link.commands()) == 1


@pytest.mark.parametrize(
    ("on", "error", "outcome", "tries"),
    [
        ("failed", Failed("no"), "flaky", 2),
        ("timeout", TimedOut("late"), "flaky", 2),
        ("error", LabError("gone"), "flaky", 2),
        ("error", Failed("no"), "failed", 1),
        ("timeout", Failed("no"), "failed", 1),
    ],
)
def test_retry_on_names_what_is_tried_again_and_a_pass_is_then_flaky(
    tmp_path: Path, on: str, error: Exception, outcome: str, tries: int
) -> None:
    errors = iter([error])

    def first_bad(_run: Run) -> dict[str, object]:
        for each in errors:
            raise each
        return dict(ENDED)

    played = play_text(
        tmp_path, recipe_of(f"{{command: x, retries: 2, retry_on: [{on}], delay: 0s}}"), answer=first_bad
    )

    assert played.outcomes == {"t@b": outcome}
    assert played.steps[0].attempts == tries


def test_failed_when_replaces_the_verdict_in_both_directions(tmp_path: Path) -> None:
    def status_2(_run: Run) -> None:
        from runner.api.program import Ended

        raise Failed("exit status 2", result=Ended(stdout="", stderr="", status=2, elapsed=1.0))

    text = recipe_of(
        "{command: x, failed_when: result.status > 2}", "{command: x, failed_when: result.status == 2}"
    )
    played = play_text(tmp_path, text, answer=status_2)

    assert [step.outcome for step in played.steps] == [Outcome.PASSED, Outcome.FAILED]
    assert played.steps[1].problem is not None
    assert played.steps[1].problem.message == "failed_when result.status == 2 holds: result.status is 2"


@pytest.mark.parametrize(
    ("expected", "outcome", "message"),
    [
        ("{class: assertion}", "passed", ""),
        ("{match: 'status [0-9]'}", "passed", ""),
        (
            "{class: timeout}",
            "failed",
            "expected an error of class 'timeout', got 'assertion': exit status 3",
        ),
        ("{match: other}", "failed", "expected an error matching 'other', got: exit status 3"),
    ],
)
def test_expect_error_wants_this_error_and_no_other(
    tmp_path: Path, expected: str, outcome: str, message: str
) -> None:
    def status_3(_run: Run) -> None:
        raise Failed("exit status 3")

    played = play_text(tmp_path, recipe_of(f"{{command: x, expect_error: {expected}}}"), answer=status_3)

    problem = played.case("t").problem
    assert played.outcomes == {"t@b": outcome}
    assert (problem.message if problem else "") == message


def test_expect_error_fails_when_nothing_goes_wrong(tmp_path: Path) -> None:
    played = play_text(tmp_path, recipe_of("{command: x, expect_error: {class: assertion}}"))

    problem = played.case("t").problem
    assert problem is not None
    assert problem.message.startswith("expected an error, but it passed")


def test_ignore_errors_records_a_failure_but_not_an_error_of_the_lab(tmp_path: Path) -> None:
    def by_name(run: Run) -> None:
        raise Failed("board") if run.arguments["command"] == "board" else LabError("lab")

    text = recipe_of("{command: board, ignore_errors: true}", "{command: lab, ignore_errors: true}")
    played = play_text(tmp_path, text, answer=by_name)

    assert played.steps[0].ignored
    assert not played.steps[1].ignored
    assert played.outcomes == {"t@b": "error"}


def test_step_vars_are_seen_by_the_step_and_not_after_it(tmp_path: Path) -> None:
    played = play_text(
        tmp_path,
        recipe_of("{log: 'x {{ n }}', vars: {n: 2}}", "{log: 'y {{ n }}'}", more="    vars: {n: 1}\n"),
    )

    assert played.logs() == ["x 2", "y 1"]


def test_no_log_hides_result_and_message(tmp_path: Path) -> None:
    def leaks(_run: Run) -> None:
        raise Failed("the password is hunter2", evidence={"line": "hunter2"})

    played = play_text(tmp_path, recipe_of("{command: x, no_log: true}"), answer=leaks)

    assert "hunter2" not in str(played.steps)


def test_deferred_steps_run_at_the_end_last_first_also_after_a_failure(tmp_path: Path) -> None:
    played = play_text(
        tmp_path,
        recipe_of("{log: first, defer: true}", "{log: second, defer: true}", "{fail: stop}", "{log: never}"),
    )

    assert played.logs() == ["second", "first"]
    assert played.outcomes == {"t@b": "failed"}


def test_a_deferred_step_that_was_not_reached_does_not_run(tmp_path: Path) -> None:
    played = play_text(tmp_path, recipe_of("{fail: stop}", "{log: never, defer: true}"))

    assert played.logs() == []


def test_rescue_runs_after_a_failure_and_always_in_any_case(tmp_path: Path) -> None:
    played = play_text(
        tmp_path,
        recipe_of(
            "{block: [{fail: x}, {log: never}], rescue: [{log: rescued}], always: [{log: always}]}",
            "{log: on}",
        ),
    )

    assert played.logs() == ["rescued", "always", "on"]
    assert played.outcomes == {"t@b": "passed"}


def test_a_failing_always_fails_the_block(tmp_path: Path) -> None:
    played = play_text(tmp_path, recipe_of("{block: [{log: a}], always: [{fail: broken}, {log: still}]}"))

    assert played.outcomes == {"t@b": "failed"}
    assert played.logs() == ["a", "still"]


def test_parallel_steps_are_all_awaited_and_the_worst_counts(tmp_path: Path) -> None:
    played = play_text(tmp_path, recipe_of("{parallel: [{fail: a}, {log: b}, {log: c}]}"))

    assert sorted(played.logs()) == ["b", "c"]
    assert played.outcomes == {"t@b": "failed"}


def test_a_background_step_goes_on_until_it_is_stopped(tmp_path: Path) -> None:
    played = play_text(
        tmp_path,
        recipe_of("{wait: 1h, background: w, timeout: 2h}", "{log: meanwhile}", "{stop: w}", "{log: after}"),
    )

    assert played.logs() == ["meanwhile", "after"]
    assert played.outcomes == {"t@b": "passed"}


def test_a_background_step_is_stopped_at_the_end_of_its_scope(tmp_path: Path) -> None:
    played = play_text(tmp_path, recipe_of("{wait: 1h, background: w, timeout: 2h}", "{log: done}"))

    assert played.outcomes == {"t@b": "passed"}


def test_a_failing_background_step_ends_the_scope(tmp_path: Path) -> None:
    played = play_text(tmp_path, recipe_of("{fail: broken, background: w}", "{wait: 1h, timeout: 2h}"))

    problem = played.case("t").problem
    assert played.outcomes == {"t@b": "failed"}
    assert problem is not None
    assert problem.message == "broken"


def test_join_waits_for_a_background_step_and_counts_it(tmp_path: Path) -> None:
    played = play_text(
        tmp_path,
        recipe_of("{block: [{wait: 1ms}, {log: late}], background: w}", "{join: w}", "{log: after}"),
    )

    assert played.logs() == ["late", "after"]


@pytest.mark.parametrize(
    ("step", "origin"),
    [
        ("{wait: 1h, timeout: 10ms}", "the step's timeout of 10ms"),
        ("{block: [{wait: 1h, timeout: 2h}], timeout: 10ms}", "the timeout of 10ms at"),
    ],
)
def test_a_time_out_names_the_limit_that_ended_it(tmp_path: Path, step: str, origin: str) -> None:
    played = play_text(tmp_path, recipe_of(step))

    problem = played.case("t").problem
    assert problem is not None
    assert problem.kind == "timeout"
    assert origin in problem.message


@pytest.mark.parametrize(
    ("step", "named", "origin"),
    [
        ("{command: {command: x, timeout: 90s}}", "timeout", "command's timeout of 1m30s ({at}:4:41)"),
        ("{command: x}", "timeout", "command's default timeout of 1m (give it another timeout at {at}:4:10)"),
        ("{command: x, timeout: 7s}", "the step's timeout", "the step's timeout of 7s ({at}:4:31)"),
        ("{command: x}", "the speed of light", "the speed of light"),
    ],
)
def test_the_evidence_of_a_time_out_says_where_its_limit_is_written(
    tmp_path: Path, step: str, named: str, origin: str
) -> None:
    def late(_run: Run) -> None:
        raise TimedOut("too late", evidence={"limit": named})

    problem = play_text(tmp_path, recipe_of(step), answer=late).case("t").problem

    assert problem is not None
    assert problem.evidence["limit"] == origin.format(at=tmp_path / "recipe.yaml")


def test_a_module_gets_the_limit_it_asks_for_and_a_little_more(tmp_path: Path) -> None:
    played = play_text(
        tmp_path,
        "timeout: {step: 3m}\n"
        + recipe_of("{command: {command: x, timeout: 90s}}", "{command: x}", "{command: x, timeout: 7m}"),
    )

    at = tmp_path / "recipe.yaml"
    asked = [each for each in played.link.asked if isinstance(each, Run)]
    assert [each.limit_origin for each in asked] == [
        f"command's timeout of 1m30s ({at}:5:41)",
        f"the play's timeout for steps of 3m ({at}:1:17)",
        f"the step's timeout of 7m ({at}:7:31)",
    ]
    for each, least, most in zip(asked, (90, 60, 300), (95, 180, 420), strict=True):
        assert least < each.limit <= most, "less is left than was given"


def test_an_exception_of_a_module_is_a_crash_with_its_traceback(tmp_path: Path) -> None:
    def crash(_run: Run) -> None:
        raise ZeroDivisionError("oops")

    played = play_text(tmp_path, recipe_of("{command: x}"), answer=crash)

    problem = played.case("t").problem
    assert played.outcomes == {"t@b": "error"}
    assert problem is not None
    assert (problem.blame, problem.message) == ("crash", "ZeroDivisionError: oops")
    assert "Traceback" in problem.traceback


def test_a_register_of_a_skipped_step_says_why_it_has_no_value(tmp_path: Path) -> None:
    played = play_text(
        tmp_path,
        recipe_of("{set: {n: 1}}", "{command: x, when: n > 1, register: r}", "{log: 'x {{ r.status }}'}"),
    )

    problem = played.case("t").problem
    assert problem is not None
    assert problem.message.startswith("'r' has no value: its step was skipped")


def test_check_mode_runs_only_what_changes_nothing(tmp_path: Path) -> None:
    played = play_text(tmp_path, recipe_of("{command: x}", "{command: y}", "{log: said}"), check=True)

    assert [step.outcome.word for step in played.steps] == ["skipped", "skipped", "passed"]
    assert played.steps[0].reason == "check mode: would run command"
    assert played.link.commands() == []


def test_check_mode_asks_a_module_that_can_tell_what_it_would_do(tmp_path: Path) -> None:
    steps = recipe_of("{power_off: , idle_timeout: 1s}", "{power_on: , name: begin}")
    told = iter(["it is off already", ""])
    played = play_text(tmp_path, steps, check=True, answer=lambda _asked: next(told))

    asked = [each for each in played.link.asked if isinstance(each, Run)]
    assert [(each.predict, each.idle, each.devices) for each in asked] == [
        (True, None, {"power": "power"})
    ] * 2
    assert [step.reason for step in played.steps] == [
        "check mode: it is off already",
        "check mode: would run power_on",
    ]
    assert played.logs() == ["it is off already", "would run begin"]


def test_check_mode_says_what_would_run_and_skips_what_needs_its_result(tmp_path: Path) -> None:
    steps = recipe_of(
        "{command: x, name: look, register: seen, expect: result.status == 0}",
        "{log: '{{ seen.stdout }}'}",
        "{assert: seen.status == 1}",
        "{log: after}",
    )
    played = play_text(tmp_path, steps, check=True)

    assert [step.outcome.word for step in played.steps] == ["skipped", "skipped", "skipped", "passed"]
    assert played.steps[1].reason == "check mode: needs 'seen', which only a real run gives"
    assert played.logs() == ["would run look", "after"]
    assert played.result.exit_code == 0


def test_silence_of_the_console_is_limited_where_the_step_says_so(tmp_path: Path) -> None:
    played = play_text(tmp_path, recipe_of("{command: x, idle_timeout: 2s}", "{command: y}"))

    assert [each.idle for each in played.link.asked if isinstance(each, Run)] == [2.0, None]


def test_a_skipped_tag_skips_the_step(tmp_path: Path) -> None:
    played = play_text(tmp_path, recipe_of("{log: a, tags: slow}", "{log: b}"), skip_tags=("slow",))

    assert played.logs() == ["b"]
