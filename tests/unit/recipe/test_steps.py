"""What is said of steps, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runner.api.values import Duration
from runner.model import UNBOUND, Block, Parallel, Recipe, Step, Stop, Use

Read = Callable[..., Recipe]
Say = Callable[..., list[str]]


def test_a_step_runs_a_module_with_typed_arguments(read: Read) -> None:
    step = only(read("steps:\n  - try_command: {command: ls, timeout: 5s}\n"))

    assert isinstance(step.what, Use)
    assert step.what.verb.name == "try_command"
    assert step.what.arguments["timeout"].value == Duration("5s")


def test_a_scalar_sets_the_primary_argument_and_the_title(read: Read) -> None:
    step = only(read("steps:\n  - try_command: printenv\n"))

    assert isinstance(step.what, Use)
    assert step.what.arguments["command"].value == "printenv"
    assert (step.title, step.id, str(step.at)) == ("try_command printenv", "steps[0]", "recipe.yaml:2:5")


def test_a_template_is_left_for_the_run(read: Read) -> None:
    step = only(read('steps:\n  - try_command: "ls {{ bench.name }}"\n'))

    assert isinstance(step.what, Use)
    assert step.what.arguments["command"].value is UNBOUND


def test_a_secret_is_not_shown_in_the_title(read: Read) -> None:
    first, second = names_of(
        read("steps:\n  - try_secret: hunter2\n  - try_log: hunter2\n    no_log: true\n")
    )

    assert (first, second) == ("try_secret ******", "try_log")


def test_an_unknown_module_is_told_with_the_nearest_one(faults: Say) -> None:
    assert faults("steps:\n  - try_comand: ls\n") == [
        "recipe.yaml:2:5+10 E201 no module 'try_comand' | did you mean 'try_command'?"
    ]


def test_an_unknown_module_with_nothing_near_says_where_to_look(faults: Say) -> None:
    assert faults("steps:\n  - zzz: ls\n") == [
        "recipe.yaml:2:5+3 E201 no module 'zzz' | 'runner list modules' shows all of them"
    ]


def test_an_unknown_argument_is_told_with_the_nearest_one(faults: Say) -> None:
    assert faults("steps:\n  - try_command:\n      command: ls\n      tiemout: 5s\n") == [
        (
            "recipe.yaml:4:7+7 E231 try_command has no argument 'tiemout' "
            "| did you mean 'timeout'?  (timeout: duration = 1m)"
        )
    ]


def test_two_modules_in_one_step_are_told_apart(faults: Say) -> None:
    assert faults("steps:\n  - try_cycle:\n    try_command: ls\n") == [
        (
            "recipe.yaml:3:5+11 E206 a step has one module, this one has 'try_cycle' and 'try_command' "
            "| begin a new step: '- try_command:'"
        )
    ]


def test_a_step_without_a_module_does_nothing(faults: Say) -> None:
    assert faults("steps:\n  - name: nothing\n") == [
        "recipe.yaml:2:5+1 E205 the step does nothing: it names no module"
    ]


def test_a_misspelt_modifier_is_told_with_the_nearest_one(faults: Say) -> None:
    assert faults("steps:\n  - try_command: ls\n    regster: x\n") == [
        "recipe.yaml:3:5+7 E204 'regster' is neither a module nor a key of a step | did you mean 'register'?"
    ]


def test_an_argument_beside_its_module_is_sent_below_it(faults: Say) -> None:
    assert faults("steps:\n  - try_command: ls\n    check: true\n") == [
        (
            "recipe.yaml:3:5+5 E204 'check' is neither a module nor a key of a step "
            "| 'check' is an argument of try_command: indent it below 'try_command'"
        )
    ]


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("delegate_to: b2", "did you mean 'bench'?"),
        ("async: 30", "did you mean 'background'?  (background: NAME, later 'join: NAME' or 'stop: NAME')"),
        ("with_items: [1]", "did you mean 'loop'?"),
        ("become: true", "leave it out: hosts are reached as the user that the inventory names"),
    ],
)
def test_ansible_words_are_translated(faults: Say, word: str, hint: str) -> None:
    key = word.partition(":")[0]

    assert faults(f"steps:\n  - try_command: ls\n    {word}\n") == [
        f"recipe.yaml:3:5+{len(key)} E207 {key!r} is not a word of recipes | {hint}"
    ]


def test_set_fact_in_the_place_of_a_module_is_translated(faults: Say) -> None:
    assert faults("steps:\n  - set_fact: {a: 1}\n") == [
        "recipe.yaml:2:5+8 E207 'set_fact' is not a word of recipes | did you mean 'set'?"
    ]


def test_braces_in_an_expression_are_taken_out(faults: Say) -> None:
    assert faults("steps:\n  - try_cycle:\n    when: \"{{ bench.name == 'b1' }}\"\n") == [
        (
            "recipe.yaml:3:11+26 E304 when is an expression already: it takes no {{ }} "
            "| write when: bench.name == 'b1'"
        )
    ]


def test_braces_in_an_argument_that_is_an_expression_are_taken_out(faults: Say) -> None:
    assert faults('steps:\n  - try_that: ["{{ 1 == 1 }}"]\n') == [
        "recipe.yaml:2:16+14 E304 that is an expression already: it takes no {{ }} | write - 1 == 1"
    ]


def test_braces_in_one_of_several_expressions_hide_no_other_fault(faults: Say) -> None:
    head = "steps:\n  - try_command: ls\n"
    text = head + '    expect: ["{{ result.status }} == 0", {a: "{{ b }}"}, 3, result.stat]\n'

    assert [line.split(" ", 2)[0:2] for line in faults(text)] == [
        ["recipe.yaml:3:14+26", "E304"],
        ["recipe.yaml:3:42+14", "E200"],
        ["recipe.yaml:3:58+1", "E200"],
        ["recipe.yaml:3:68+4", "E302"],
    ]


def test_a_number_is_no_condition(faults: Say) -> None:
    assert faults("steps:\n  - try_cycle:\n    when: 1\n") == [
        (
            "recipe.yaml:3:11+1 E200 when must be a condition, got '1' "
            "| a number is neither true nor false: compare it"
        )
    ]


def test_a_boolean_is_true_or_false(faults: Say) -> None:
    assert faults("steps:\n  - try_cycle:\n    run_once: yes\n") == [
        "recipe.yaml:3:15+3 E200 run_once must be true or false, got 'yes' | write true"
    ]


def test_every_fault_is_told_in_one_pass_in_the_order_of_the_text(faults: Say) -> None:
    told = faults(
        """
        take: none
        steps:
          - try_comand: ls
          - try_command: {command: ls, timeout: soon}
            when: a ==
          - try_cycle:
            register: 1a
        """
    )

    assert [line.split(" ")[1] for line in told] == ["E200", "E201", "E234", "E310", "E220"]


# --- modifiers -----------------------------------------------------------------------------------


def test_until_is_read_with_its_limits(read: Read) -> None:
    step = only(
        read("steps:\n  - try_command: ls\n    until: result.status == 0\n    retries: 4\n    delay: 500ms\n")
    )

    assert step.until is not None
    assert (step.until.condition.text, step.until.retries, step.until.delay) == (
        "result.status == 0",
        4,
        Duration("500ms"),
    )
    assert step.retries == 0


def test_a_delay_of_nothing_is_kept(read: Read) -> None:
    step = only(
        read("steps:\n  - try_command: ls\n    until: result.status == 0\n    retries: 4\n    delay: 0\n")
    )

    assert step.until is not None
    assert step.until.delay == Duration(0)


def test_until_without_an_end_is_refused(faults: Say) -> None:
    assert faults("steps:\n  - try_command: ls\n    until: result.status == 0\n") == [
        "recipe.yaml:3:5+5 E223 'until' has no end | add 'timeout: 30s' or 'retries: 10'"
    ]


def test_a_limit_of_the_play_ends_until(read: Read) -> None:
    assert only(
        read("timeout: {step: 5s}\nsteps:\n  - try_command: ls\n    until: result.status == 0\n")
    ).until


def test_retries_alone_are_refused(faults: Say) -> None:
    assert faults("steps:\n  - try_command: ls\n    retries: 3\n") == [
        (
            "recipe.yaml:3:5+7 E223 'retries' needs 'until' or 'retry_on' "
            "| add 'until: EXPRESSION', or 'retry_on: [failed]' to try again after a failure"
        )
    ]


def test_retry_on_is_read(read: Read) -> None:
    step = only(
        read("steps:\n  - try_command: ls\n    retries: 2\n    retry_on: [error, timeout]\n    delay: 3s\n")
    )

    assert (step.retries, step.retry_on, step.delay) == (2, ("error", "timeout"), Duration("3s"))


def test_until_with_retry_on_is_not_supported_yet(faults: Say) -> None:
    told = faults(
        "steps:\n  - try_command: ls\n    until: result.status == 0\n    retries: 2\n    retry_on: failed\n"
    )

    assert told == [
        (
            "recipe.yaml:5:5+8 E299 'until' together with 'retry_on' is not supported yet "
            "| put the step with 'until' into a block and 'retry_on' on the block"
        )
    ]


def test_a_measure_is_read(read: Read) -> None:
    step = only(
        read(
            "steps:\n  - try_command: ls\n"
            "    measure: {time: {value: result.elapsed, unit: s, max: 40, warn: 30}}\n"
        )
    )
    (measure,) = step.measure

    assert (measure.name, measure.value.text, measure.unit) == ("time", "result.elapsed", "s")
    assert (measure.maximum and measure.maximum.text, measure.warn and measure.warn.text) == ("40", "30")


def test_a_limit_of_a_measure_has_no_unit_of_its_own(faults: Say) -> None:
    told = faults("steps:\n  - try_command: ls\n    measure: {time: {value: result.elapsed, max: 1m}}\n")

    assert told == [
        "recipe.yaml:3:50+2 E200 max must be a number or an expression, got '1m' | write max: 60 with unit: s"
    ]


def test_nested_loops_must_name_their_variable(faults: Say) -> None:
    told = faults(
        """
        steps:
          - block:
              - try_log: "{{ item }}"
                loop: [1, 2]
            loop: [a, b]
        """
    )

    assert told == [
        (
            "recipe.yaml:4:9+4 E227 the loop around this one has the variable 'item', too "
            "| name it: add 'loop_var: NAME' to this loop"
        )
    ]


def test_a_loop_over_a_word_is_refused(faults: Say) -> None:
    assert faults("steps:\n  - try_log: x\n    loop: boards\n") == [
        (
            "recipe.yaml:3:11+6 E200 loop must be a list, a mapping or a template, got 'boards' "
            '| write loop: "{{ boards }}" to take it from a variable'
        )
    ]


def test_a_loop_over_a_number_is_refused(faults: Say) -> None:
    assert faults("steps:\n  - try_log: x\n    loop: 3\n") == [
        (
            "recipe.yaml:3:11+1 E200 loop must be a list, a mapping or a template, got '3' "
            '| write loop: "{{ range(3) }}"'
        )
    ]


def test_an_expected_error_is_read(read: Read) -> None:
    step = only(read("steps:\n  - try_command: ls\n    expect_error: {class: timeout, match: 'no .*'}\n"))

    assert step.expect_error is not None
    assert (step.expect_error.kind, step.expect_error.match) == ("timeout", "no .*")


def test_an_unknown_class_of_errors_is_told(faults: Say) -> None:
    assert faults("steps:\n  - try_command: ls\n    expect_error: {class: timeut}\n") == [
        (
            "recipe.yaml:3:27+6 E200 class must be one of unsupported, bad_argument, timeout, unreachable, "
            "device_error, assertion, internal, got 'timeut' | did you mean 'timeout'?"
        )
    ]


# --- blocks, parallel, background ------------------------------------------------------------------


def test_a_block_has_rescue_and_always(read: Read) -> None:
    step = only(
        read(
            """
            steps:
              - block: [{try_cycle: }]
                rescue: [{try_log: oh}]
                always: [{try_log: bye}, {try_log: bye}]
            """
        )
    )

    assert isinstance(step.what, Block)
    assert [len(part) for part in (step.what.steps, step.what.rescue, step.what.always)] == [1, 1, 2]
    assert step.what.always[1].id == "steps[0].always[1]"


def test_rescue_belongs_to_a_block(faults: Say) -> None:
    assert faults("steps:\n  - try_cycle:\n    rescue: []\n") == [
        "recipe.yaml:3:5+6 E225 'rescue' cannot be used here: they belong to a 'block'"
    ]


def test_parallel_steps_are_read(read: Read) -> None:
    step = only(read("steps:\n  - parallel:\n      - try_cycle:\n      - try_log: x\n"))

    assert isinstance(step.what, Parallel)
    assert [each.id for each in step.what.steps] == ["steps[0].parallel[0]", "steps[0].parallel[1]"]


def test_a_block_has_no_result_to_judge(faults: Say) -> None:
    assert faults("steps:\n  - block: [{try_cycle: }]\n    expect: result == 1\n") == [
        "recipe.yaml:3:5+6 E225 'expect' cannot be used here: a block has no result | put it on a step inside"
    ]


def test_no_log_reaches_the_steps_inside(read: Read) -> None:
    step = only(read("steps:\n  - block: [{block: [{try_cycle: }]}]\n    no_log: true\n"))

    assert isinstance(step.what, Block)
    inner = step.what.steps[0]
    assert isinstance(inner.what, Block)
    assert (inner.no_log, inner.what.steps[0].no_log) == (True, True)


BACKGROUND = """
tests:
  - test: t
    steps:
      - try_command: capture
        background: cap
      - {stop}
"""


def test_a_background_step_is_stopped_by_its_name(read: Read) -> None:
    steps = read(BACKGROUND.format(stop="stop: cap")).plays[0].tests[0].steps

    assert steps[0].background == "cap"
    assert steps[1].what == Stop(background="cap", cancel=True)
    assert read(BACKGROUND.format(stop="join: cap")).plays[0].tests[0].steps[1].what == Stop(
        background="cap", cancel=False
    )


def test_stopping_what_does_not_run_is_refused(faults: Say) -> None:
    assert faults(BACKGROUND.format(stop="stop: cpa")) == [
        "recipe.yaml:6:15+3 E219 no background step 'cpa' is running here | did you mean 'cap'?"
    ]


def test_stopping_in_another_scope_is_refused(faults: Say) -> None:
    assert faults(BACKGROUND.format(stop="block: [{join: cap}]")) == [
        (
            "recipe.yaml:6:24+3 E219 no background step 'cap' is running here "
            "| an earlier step of the same list needs 'background: cap'"
        )
    ]


def test_stopping_twice_is_refused(faults: Say) -> None:
    text = BACKGROUND.format(stop="stop: cap") + "      - stop: cap\n"

    assert faults(text)[0].startswith("recipe.yaml:7:15+3 E219 no background step 'cap'")


def test_a_deferred_step_cannot_register(faults: Say) -> None:
    text = (
        "tests:\n  - test: t\n    steps:\n      - try_command: x\n        defer: true\n        register: y\n"
    )

    assert faults(text) == [
        (
            "recipe.yaml:6:9+8 E225 'register' cannot be used here: a deferred step runs last | "
            "leave out one of them"
        )
    ]


def test_defer_makes_no_sense_on_top_of_the_short_form(faults: Say) -> None:
    assert faults("steps:\n  - try_command: x\n    defer: true\n") == [
        (
            "recipe.yaml:3:5+5 E225 'defer' cannot be used here: in the short form every step is a test "
            "of its "
            "own, and its scope ends with it "
            "| put the steps that belong together into a 'block', or use 'tests'"
        )
    ]


# --- defaults and devices --------------------------------------------------------------------------


def test_defaults_are_merged_and_the_steps_own_win(read: Read) -> None:
    recipe = read(
        """
        defaults: {try_command: {timeout: 5s, check: false}}
        steps:
          - try_command: ls
          - try_command: {command: ls, timeout: 9s}
        """
    )
    first, second = (test.steps[0].what for test in recipe.plays[0].tests)

    assert isinstance(first, Use)
    assert isinstance(second, Use)
    assert (first.arguments["timeout"].value, first.arguments["check"].value) == (Duration("5s"), False)
    assert second.arguments["timeout"].value == Duration("9s")


def test_a_default_makes_a_required_argument_optional(read: Read) -> None:
    step = only(read("defaults: {try_command: {command: ls}}\nsteps:\n  - try_command:\n"))

    assert isinstance(step.what, Use)
    assert step.what.arguments["command"].value == "ls"


def test_faults_in_defaults_stand_where_the_defaults_stand(faults: Say) -> None:
    told = faults("defaults: {try_comand: {}, try_cycle: {of_time: 1s}}\nsteps:\n  - try_cycle:\n")

    assert told == [
        "recipe.yaml:1:12+10 E201 no module 'try_comand' | did you mean 'try_command'?",
        (
            "recipe.yaml:1:40+7 E231 try_cycle has no argument 'of_time' "
            "| did you mean 'off_time'?  (off_time: duration = 1s)"
        ),
    ]


def test_a_device_is_taken_out_of_the_arguments(read: Read) -> None:
    first, second = (
        test.steps[0].what
        for test in read(
            "steps:\n  - try_cycle: {device: main}\n  - try_cycle: {power: main, off_time: 2s}\n"
        )
        .plays[0]
        .tests
    )

    assert isinstance(first, Use)
    assert isinstance(second, Use)
    assert list(first.devices) == ["device"]
    assert (list(second.devices), list(second.arguments)) == (["power"], ["off_time"])


def test_device_is_no_argument_where_it_would_be_ambiguous(faults: Say) -> None:
    assert faults("steps:\n  - try_copy: {source: a, device: b}\n") == [
        "recipe.yaml:2:27+6 E231 try_copy has no argument 'device' | it has: source, target"
    ]


def test_one_device_named_twice_is_refused(faults: Say) -> None:
    assert faults("steps:\n  - try_cycle: {power: a, device: b}\n") == [
        (
            "recipe.yaml:2:27+6 E274 'device' and 'power' name the same device of try_cycle | "
            "leave one of them out"
        )
    ]


def only(recipe: Recipe) -> Step:
    """Return the one step of a recipe."""
    ((step,),) = (test.steps for test in recipe.plays[0].tests)
    return step


def names_of(recipe: Recipe) -> list[str]:
    """Return the names of the tests."""
    return [test.name for test in recipe.plays[0].tests]
