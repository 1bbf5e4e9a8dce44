"""Plays and tests: what is read, and what is said of what cannot be."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from runner.api.values import Duration
from runner.console.watched import TITLES
from runner.model import Recipe, Skip, Timeouts, Watch, Xfail

Read = Callable[..., Recipe]
Say = Callable[..., list[str]]

UNENDED = "missing ), unterminated subpattern at position 0"
STEP = "steps: [{try_cycle: }]"


def test_a_play_is_read_whole(read: Read) -> None:
    (play,) = read(
        """
        name: nightly
        description: every night
        benches: board=rpi4 & !site=es
        take: 1
        strategy: lockstep
        max_parallel: 2
        vars: {a: 1}
        tags: [slow, boot]
        meta: {ticket: 812, links: [a, b]}
        timeout: {run: 30m, test: 5m, step: 30s}
        reserve: {wait: 10m, hold: 2h}
        setup: [{try_cycle: }]
        tests: [{test: boots, steps: [{try_cycle: }]}]
        teardown: [{try_cycle: }, {try_cycle: }]
        requires_runner: ">=0.1"
        """
    ).plays

    assert (play.name, play.description, play.benches) == ("nightly", "every night", "board=rpi4 & !site=es")
    assert (play.take, play.strategy, play.max_parallel) == (1, "lockstep", 2)
    assert [(each.name, each.layer) for each in play.variables] == [("a", "play vars")]
    assert (play.tags, play.meta) == (("slow", "boot"), {"ticket": 812, "links": ["a", "b"]})
    assert play.timeout == Timeouts(run=Duration("30m"), test=Duration("5m"), step=Duration("30s"))
    assert (play.reserve_wait, play.reserve_hold) == (Duration("10m"), Duration("2h"))
    assert (len(play.setup), len(play.tests), len(play.teardown), play.chained) == (1, 1, 2, False)
    assert (play.setup[0].id, play.teardown[1].id) == ("setup[0]", "teardown[1]")
    assert str(play.benches_at) == "recipe.yaml:3:10"


def test_a_play_without_a_name_is_called_like_its_file(read: Read) -> None:
    recipe = read(STEP)

    assert (recipe.name, recipe.plays[0].name, recipe.plays[0].benches) == ("recipe", "recipe", "all")


def test_a_list_of_plays_has_ids_of_its_own(read: Read) -> None:
    recipe = read("- {steps: [{try_cycle: }]}\n- {name: b, steps: [{try_cycle: }]}\n")

    assert [play.name for play in recipe.plays] == ["play 1", "b"]
    assert recipe.plays[1].tests[0].steps[0].id == "plays[1].steps[0]"


def test_two_plays_of_one_name_are_refused(faults: Say) -> None:
    assert faults("- {name: b, steps: [{try_cycle: }]}\n- {name: b, steps: [{try_cycle: }]}\n") == [
        (
            "recipe.yaml:2:3+33 E209 two plays of one recipe are called 'b' "
            "| the first one stands at recipe.yaml:1:3; the names are part of the case ids"
        )
    ]


def test_the_short_form_makes_a_test_of_every_step(read: Read) -> None:
    (play,) = read(
        "steps:\n  - try_cycle:\n  - try_log: hi\n    name: greet\n    tags: talk, loud\n  - try_cycle:\n"
    ).plays

    assert play.chained
    assert [test.name for test in play.tests] == ["try_cycle", "greet", "try_cycle (2)"]
    assert play.tests[1].tags == ("talk", "loud")


def test_tests_and_steps_together_are_refused(faults: Say) -> None:
    assert faults("tests: []\nsteps: []\n") == [
        (
            "recipe.yaml:2:1+5 E226 a play has 'tests' or 'steps', not both "
            "| make a test of these steps: '- test: NAME' with 'steps:'"
        )
    ]


def test_a_list_of_tests_is_no_recipe(faults: Say) -> None:
    assert faults("- test: boots\n  steps: []\n") == [
        (
            "recipe.yaml:1:3+1 E226 a recipe is a list of plays, this looks like a test or a step "
            "| put it below 'tests:' or 'steps:'"
        )
    ]


def test_ansible_words_of_a_play_are_translated(faults: Say) -> None:
    assert faults("hosts: all\ntasks: []\n") == [
        (
            "recipe.yaml:1:1+5 E207 'hosts' is not a word of recipes "
            "| did you mean 'benches'?  (a host is the machine that instruments are plugged into)"
        ),
        (
            "recipe.yaml:2:1+5 E207 'tasks' is not a word of recipes "
            "| did you mean 'tests'?  ('steps' is the short form: every step is a test)"
        ),
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("benchs: all", "1:1+6 E202 a play has no key 'benchs' | did you mean 'benches'?"),
        ("benches: [a, b]", "1:10+6 E200 benches must be a pattern, got a list | write benches: a,b"),
        (
            'benches: "{{ x }}"',
            "1:10+9 E229 benches cannot hold a template | benches must be known before the run: write it out",
        ),
        ("take: 0", "1:7+1 E200 take must be a whole number from 1 on, got '0'"),
        (
            "strategy: lockstp",
            (
                "1:11+7 E200 strategy must be one of free, lockstep, shard, got 'lockstp' | did you "
                "mean 'lockstep'?"
            ),
        ),
        (
            "timeout: 5m",
            (
                "1:10+2 E200 timeout of a play must be a mapping, got '5m' "
                "| write timeout: {run: 5m}, or {test: …}, {step: …}"
            ),
        ),
        (
            "timeout: {test: soon}",
            (
                "1:17+4 E200 timeout 'test' must be a duration, got 'soon' "
                "| write 2s, 500ms, 1m30s, 2h or seconds"
            ),
        ),
        (
            'requires_runner: ">=9"',
            (
                "1:18+5 E218 the recipe needs runner >=9, this is 0.1.0 "
                "| install another version of runner, or change requires_runner"
            ),
        ),
        (
            "requires_runner: 0.1",
            (
                "1:18+3 E218 requires_runner: '0.1' is not a condition on a version "
                '| write it as ">=0.1" or ">=0.1,<1"'
            ),
        ),
        (
            "vars: {run: 1}",
            (
                "1:8+3 E220 'run' cannot be the name of a variable: it is built in "
                "| choose another name, such as my_run"
            ),
        ),
        ("vars: {boot-time: 1}", "1:8+9 E220 'boot-time' cannot be the name of a variable | write boot_time"),
        (
            "reserve: {wait: x}",
            "1:17+1 E200 wait must be a duration, got 'x' | write 2s, 500ms, 1m30s, 2h or seconds",
        ),
        (
            "vars_files: [no.yaml]",
            "1:14+7 E214 there is no file 'no.yaml' | the path is relative to this file",
        ),
    ],
)
def test_a_wrong_key_of_a_play_is_told(faults: Say, line: str, told: str) -> None:
    assert faults(f"{line}\n{STEP}\n") == [f"recipe.yaml:{told}"]


@pytest.mark.parametrize(
    ("line", "watch"),
    [
        ("name: x", Watch()),
        ("watch: true", Watch()),
        ("watch: false", Watch(enabled=False)),
        ("watch: {allow: oops}", Watch(allow=("oops",))),
        ("watch: {allow: [oops, reset_loop]}", Watch(allow=("oops", "reset_loop"))),
        ("watch: {add: [{name: sensor lost, pattern: 'lost$'}]}", Watch(added={"sensor lost": "lost$"})),
    ],
)
def test_watch_allows_adds_or_switches_off(read: Read, line: str, watch: Watch) -> None:
    (play,) = read(f"{line}\n{STEP}\n").plays

    assert play.watch == watch


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("watch: {alow: [panic]}", "1:9+4 E202 watch has no key 'alow' | did you mean 'allow'?"),
        ("watch: {allow: [ooops]}", "1:17+5 E243 no watcher 'ooops' | did you mean 'oops'?"),
        (
            "watch: {allow: [xyz]}",
            f"1:17+3 E243 no watcher 'xyz' | there are: {', '.join(TITLES)}",
        ),
        ("watch: off", "1:8+3 E200 watch must be true or false, got 'off' | write false"),
        ("watch: [panic]", "1:8+7 E200 watch must be a mapping, got a list"),
        (
            "watch: {add: [{name: x}]}",
            "1:15+9 E243 a watcher in 'add' has no 'pattern' | {name: …, pattern: …}",
        ),
        (
            "watch: {add: [{name: oops, pattern: x}]}",
            "1:22+4 E243 a watcher 'oops' is there already | give it another name",
        ),
        (
            "watch: {add: [{name: x, pattern: '('}]}",
            f"1:34+3 E243 pattern of watcher 'x': '(' is not a regular expression: {UNENDED}",
        ),
        (
            "watch: {add: [{name: x, pattern: 'a*'}]}",
            "1:34+4 E243 pattern of watcher 'x': 'a*' matches the empty text, and so everywhere",
        ),
        (
            "watch: {add: [{name: x, pattern: '{{ y }}'}]}",
            "1:34+9 E229 pattern cannot hold a template | pattern must be known before the run: write it out",
        ),
    ],
)
def test_a_wrong_watch_is_told(faults: Say, line: str, told: str) -> None:
    assert faults(f"{line}\n{STEP}\n") == [f"recipe.yaml:{told}"]


def test_files_of_variables_come_before_vars(read: Read) -> None:
    (play,) = read("vars_files: v.yaml\nvars: {b: 2}\n" + STEP, v="a: 1\nb: 1\n").plays

    assert [(each.name, each.layer) for each in play.variables] == [
        ("a", "vars file v.yaml"),
        ("b", "vars file v.yaml"),
        ("b", "play vars"),
    ]


# --- tests ---------------------------------------------------------------------------------------


def test_a_test_is_read_whole(read: Read) -> None:
    (test,) = (
        read(
            """
        tests:
          - test: boots
            id: T-1
            description: it boots
            setup: [{try_cycle: }]
            steps: [{try_cycle: }]
            teardown: [{try_cycle: }]
            when: bench.index == 1
            skip: broken today
            xfail: {when: bench.index == 2, reason: issue 812, strict: false}
            tags: [a]
            meta: {req: R1}
            vars: {x: 1}
            timeout: 5m
            retries: {max: 2, on: [error]}
        """
        )
        .plays[0]
        .tests
    )

    assert (test.name, test.id, test.description, str(test.at)) == (
        "boots",
        "T-1",
        "it boots",
        "recipe.yaml:2:5",
    )
    assert (test.setup[0].id, test.teardown[0].id) == ("tests[0].setup[0]", "tests[0].teardown[0]")
    assert test.skip == Skip(reason="broken today")
    assert test.xfail is not None
    assert (test.xfail.reason, test.xfail.strict, test.xfail.when and test.xfail.when.text) == (
        "issue 812",
        False,
        "bench.index == 2",
    )
    assert (test.tags, test.meta, list(test.variables)) == (("a",), {"req": "R1"}, ["x"])
    assert (test.timeout, test.retries, test.retry_on) == (Duration("5m"), 2, ("error",))


@pytest.mark.parametrize(
    ("written", "xfail"),
    [
        ("true", Xfail(reason="expected to fail")),
        ("false", None),
        ("issue 812", Xfail(reason="issue 812")),
        ("{reason: x}", Xfail(reason="x")),
    ],
)
def test_xfail_has_three_forms(read: Read, written: str, xfail: Xfail | None) -> None:
    text = f"tests:\n  - test: t\n    xfail: {written}\n    steps: [{{try_cycle: }}]\n"

    assert read(text).plays[0].tests[0].xfail == xfail


def test_requires_names_earlier_tests(read: Read) -> None:
    text = """
        tests:
          - {test: a, steps: []}
          - {test: b, steps: []}
          - {test: c, requires: [a, b], steps: []}
        """

    assert read(text).plays[0].tests[2].requires == ("a", "b")


def test_requires_of_a_later_test_is_refused(faults: Say) -> None:
    text = """
        tests:
          - {test: a, steps: []}
          - {test: c, requires: booot, steps: []}
          - {test: boot, steps: []}
        """

    assert faults(text) == [
        (
            "recipe.yaml:3:25+5 E221 no earlier test is called 'booot' | a test requires tests "
            "that stand above it"
        )
    ]


def test_requires_of_a_misspelt_test_is_told(faults: Say) -> None:
    text = "tests:\n  - {test: boots, steps: []}\n  - {test: c, requires: bots, steps: []}\n"

    assert faults(text) == [
        "recipe.yaml:3:25+4 E221 no earlier test is called 'bots' | did you mean 'boots'?"
    ]


def test_two_tests_of_one_name_are_refused(faults: Say) -> None:
    assert faults("tests:\n  - {test: a, steps: []}\n  - {test: a, steps: []}\n") == [
        (
            "recipe.yaml:3:12+1 E209 two tests of one play are called 'a' | the first one stands "
            "at recipe.yaml:2:12"
        )
    ]


def test_a_module_in_the_place_of_steps_is_told(faults: Say) -> None:
    assert faults("tests:\n  - test: a\n    try_cycle:\n") == [
        (
            "recipe.yaml:3:5+9 E202 a test has no key 'try_cycle': it is a module "
            "| put it below 'steps:' as '- try_cycle:'"
        )
    ]


def test_a_test_called_by_name_is_told(faults: Say) -> None:
    assert faults("tests:\n  - name: a\n    steps: []\n") == [
        "recipe.yaml:2:5+4 E207 'name' is not a word of recipes | did you mean 'test'?"
    ]


def test_a_template_in_the_name_of_a_test_is_refused(faults: Say) -> None:
    assert faults('tests:\n  - test: "boots {{ x }}"\n    steps: []\n') == [
        (
            "recipe.yaml:2:11+15 E229 test cannot hold a template | test must be known before the "
            "run: write it out"
        )
    ]


# --- matrix --------------------------------------------------------------------------------------


def matrix(body: str) -> str:
    return f"tests:\n  - test: t\n    matrix: {body}\n    steps: []\n"


def test_a_matrix_makes_every_combination_but_the_excluded(read: Read) -> None:
    text = matrix("{s: [temp, light], rate: [10, 100], exclude: [{s: light, rate: 100}]}")

    assert read(text).plays[0].tests[0].matrix == (
        {"s": "temp", "rate": 10},
        {"s": "temp", "rate": 100},
        {"s": "light", "rate": 10},
    )


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{s: temp}", "3:17+4 E200 matrix variable 's' must be a list, got 'temp' | write s: [value, value]"),
        ("{s: []}", "3:17+2 E222 matrix variable 's' has no values"),
        ("{s: [a, a]}", "3:21+1 E222 'a' stands twice in 's'"),
        (
            "{s: [a, b], exclude: [{t: a}]}",
            "3:36+1 E222 the matrix has no variable 't'",
        ),
        (
            "{s: [temp, b], exclude: [{s: tmp}]}",
            "3:42+3 E222 's' never has the value 'tmp' | did you mean 'temp'?",
        ),
        (
            "{s: [a, b], exclude: [{s: a}, {s: a}]}",
            "3:43+6 E222 this row excludes nothing | an earlier one has excluded it already",
        ),
        ("{s: [a], exclude: [{s: a}]}", "3:31+8 E222 every row of the matrix is excluded"),
        (
            "{s: [a], include: []}",
            "3:22+7 E222 a matrix has no 'include' | write a second test, or more values",
        ),
        (
            '{s: ["{{ a }}"]}',
            (
                "3:18+9 E229 a matrix cannot hold a template "
                "| the cases must be known before the run: write the values out"
            ),
        ),
    ],
)
def test_a_wrong_matrix_is_told(faults: Say, body: str, told: str) -> None:
    assert faults(matrix(body)) == [f"recipe.yaml:{told}"]
