"""Names and fields, found before the run or told with the nearest ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.benches import bench, node

from runner.errors import InputError
from runner.model import Recipe
from runner.recipe.read import read_steps
from runner.recipe.static import check_names, check_steps
from runner.registry import Registry
from runner.template import Templates

Read = Callable[..., Recipe]
Say = Callable[..., list[str]]


def test_everything_in_scope_is_found(checked: Say) -> None:
    told = checked(
        """
        params: {limit: {type: duration, default: 40s}}
        vars: {greeting: "hello {{ bench.name }} {{ speed }}", cfg: {deep: {er: 1}}}

        setup: [{try_login: root, register: first}]
        tests:
          - test: one
            matrix: {sensor: [a, b]}
            vars: {local: "{{ sensor }}"}
            skip: {when: "sensor == 'a'", reason: x}
            steps:
              - try_set: {counter: 1, named: {a: 2}}
              - try_log: "{{ greeting }} {{ cfg.deep.er }} {{ local }} {{ counter }} {{ named.a }}"
                when: first.first.status == 0 and first.lines | length > 1
              - try_command: "{{ item.key }} {{ run.id }} {{ artifacts }} {{ benches['b1'].name }}"
                loop: {x: 1}
                register: all
                timeout: "{{ limit }}"
                vars: {mine: 3}
                until: result.output is match('x') and mine == 3
                failed_when: all.status == 1
                measure: {t: {value: result.elapsed, max: limit}}
              - try_log: "{{ all | length }} {{ all[0].output }} {% for x in range(3) %}{{ x }}{% endfor %}"
              - block:
                  - try_log: "{{ outer }} {{ item }}"
                    loop: [1]
                loop: "{{ first.lines }}"
                loop_var: outer
        teardown: [{try_log: "{{ first.times.spl }} {{ first.elapsed }}"}]
        """,
        benches=(bench(labels={"rev": "A"}, speed=3),),
    )

    assert told == []


def step(line: str) -> str:
    """Write a play whose last step is this one."""
    head = "params:\n  image: {type: str, default: x}\nsteps:\n  - try_login: root\n    register: boot\n"
    return f"{head}  - {line}\n"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            'try_log: "a {{ imge }}"',
            "6:20+4 E301 unknown name 'imge' | did you mean 'image'?  (param, recipe.yaml:2:3)",
        ),
        (
            'try_log: "{{ boot.elapsd }}"',
            "6:23+6 E302 boot (try_login) has no field 'elapsd' | did you mean 'elapsed'?",
        ),
        (
            'try_log: "{{ boot.first.statuss }}"',
            "6:29+7 E302 boot.first has no field 'statuss' | did you mean 'status'?",
        ),
        (
            'try_log: "{{ boot.elapsed.seconds }}"',
            "6:31+7 E302 boot.elapsed, a Duration, has no field 'seconds'",
        ),
        (
            "try_that: bootx.elapsed < 3 and boot.elapsed > 1",
            "6:15+5 E301 unknown name 'bootx' | did you mean 'boot'?  (register, recipe.yaml:4:5)",
        ),
        (
            "try_that: image == nightly",
            "6:24+7 E301 unknown name 'nightly' | if it is a text, write it in quotes: 'nightly'",
        ),
        ("try_that: 1 ==", "6:15+4 E310 unexpected the end: 1 =="),
        ("try_that: image is fil", "6:24+3 E313 no test 'fil' | did you mean 'file'?"),
        ("try_that: image | lenght > 1", "6:23+6 E312 no filter 'lenght' | did you mean 'length'?"),
        (
            'try_log: "{{ bench.nam }}"',
            "6:24+3 E302 bench has no field 'nam' | did you mean 'name'?",
        ),
        (
            '{try_log: x, name: "flash {{ imge }}"}',
            "6:34+4 E301 unknown name 'imge' | did you mean 'image'?  (param, recipe.yaml:2:3)",
        ),
        (
            'try_log: "{{ result.output }}"',
            "6:18+6 E301 unknown name 'result'",
        ),
    ],
)
def test_a_wrong_name_is_told_with_the_column_of_the_very_name(checked: Say, line: str, told: str) -> None:
    assert checked(step(line)) == [f"recipe.yaml:{told}"]


def test_a_name_in_a_folded_text_has_its_own_line(checked: Say) -> None:
    text = step('try_log: >-\n      a text with a \\" and\n      {{ image }} then {{ imge }}')

    assert checked(text) == [
        "recipe.yaml:8:27+4 E301 unknown name 'imge' | did you mean 'image'?  (param, recipe.yaml:2:3)"
    ]


def test_a_name_behind_an_escape_has_its_own_column(checked: Say) -> None:
    text = step('try_log: "say \\"hi\\" to {{ image }} and {{ imge }}"')
    column = text.splitlines()[5].index("imge") + 1

    assert checked(text)[0].startswith(f"recipe.yaml:6:{column}+4 E301")


def test_a_word_that_stands_there_several_times_is_counted(checked: Say) -> None:
    text = step('try_log: "\\"status\\" {{ boot.first.status }} {{ boot.status }}"')
    column = text.splitlines()[5].rindex("status") + 1

    assert checked(text)[0].startswith(f"recipe.yaml:6:{column}+6 E302")


def test_result_has_the_fields_of_the_steps_own_module(checked: Say) -> None:
    text = step("try_command: ls\n    expect: [result.status == 0, result.elapsd > 1]")

    assert checked(text) == [
        "recipe.yaml:7:41+6 E302 result (try_command) has no field 'elapsd' | did you mean 'elapsed'?"
    ]


def test_a_module_without_a_result_cannot_be_judged_or_registered(checked: Say) -> None:
    assert checked(step("try_cycle:\n    register: x\n    expect: result.status == 0")) == [
        "recipe.yaml:6:5+9 E308 try_cycle gives no result to register as 'x' | leave out 'register'",
        "recipe.yaml:8:13+6 E308 'result' has no value here: try_cycle gives no result | leave this line out",
    ]


def test_a_register_of_a_loop_is_a_list(checked: Say) -> None:
    text = step('try_command: ls\n    loop: [1]\n    register: all\n  - try_log: "{{ all.status }}"')

    assert checked(text) == ["recipe.yaml:9:22+6 E302 all (try_command) has no field 'status'"]


def test_a_loop_gives_items_of_a_known_shape(checked: Say) -> None:
    text = step('try_log: "{{ item.nme }}"\n    loop: [{name: a, n: 1}, {name: b}]')

    assert checked(text) == ["recipe.yaml:6:23+3 E302 item has no field 'nme' | did you mean 'name'?"]


TWO = """
tests:
  - test: one
    steps:
      - try_log: "{{ got.status }}"
      - try_command: ls
        register: got
  - test: two
    steps:
      - try_log: "{{ got.status }}"
"""


def test_a_register_is_known_after_its_step_and_in_its_test(checked: Say) -> None:
    assert checked(TWO) == [
        "recipe.yaml:4:22+3 E306 'got' has no value here | it is made by a later step, at recipe.yaml:5:9",
        (
            "recipe.yaml:9:22+3 E306 'got' has no value here "
            "| it is made in test 'one' (recipe.yaml:5:9): share it by making it in 'setup'"
        ),
    ]


def test_two_steps_may_not_register_one_name(checked: Say) -> None:
    assert checked(step("try_command: ls\n    register: boot")) == [
        (
            "recipe.yaml:6:5+11 E320 two steps give 'boot' a value "
            "| the first one stands at recipe.yaml:4:5; choose another name"
        )
    ]


def test_a_register_may_not_hide_a_variable(checked: Say) -> None:
    assert checked(step("try_command: ls\n    register: image")) == [
        (
            "recipe.yaml:6:5+11 E307 'image' is a param already (recipe.yaml:2:3) "
            "| a register may not hide it: choose another name"
        )
    ]


def test_set_may_change_what_set_made(checked: Say) -> None:
    assert checked(step('try_set: {n: 1}\n  - try_set: {n: 2}\n  - try_log: "{{ n }}"')) == []


def test_a_background_result_can_be_used_after_join(checked: Say) -> None:
    text = """
        tests:
          - test: t
            steps:
              - {try_command: ls, background: bg, register: got}
              - try_log: "{{ got.status }}"
              - join: bg
              - try_log: "{{ got.status }}"
        """

    assert checked(text) == [
        (
            "recipe.yaml:5:22+3 E306 'got' has no value yet: background step 'bg' may still run "
            "| add 'join: bg' before this step"
        )
    ]


def test_parallel_steps_do_not_see_each_others_results(checked: Say) -> None:
    text = """
        tests:
          - test: t
            steps:
              - parallel:
                  - {try_command: ls, register: got}
                  - try_log: "{{ got.status }}"
              - try_log: "{{ got.status }}"
        """

    assert checked(text) == [
        (
            "recipe.yaml:6:26+3 E306 'got' has no value here: a step that runs at the same time gives it "
            "| use it after the 'parallel'"
        )
    ]


# --- variables -----------------------------------------------------------------------------------


def test_a_variable_that_one_bench_lacks_names_the_bench(checked: Say) -> None:
    told = checked(
        'steps:\n  - try_log: "{{ prompt }}"\n',
        benches=(bench("b1", prompt="x"), bench("b2"), bench("b3")),
    )

    assert told == [
        (
            "recipe.yaml:2:18+6 E305 variable 'prompt' is not defined on bench 'b2' and 1 more "
            "| others define it (lab.yaml:1:1); or write prompt | default(…)"
        )
    ]


def test_a_default_in_the_template_is_enough_for_the_benches_that_lack_it(checked: Say) -> None:
    text = (
        "steps:\n  - try_log: \"{{ prompt | default('x') }}\"\n  - try_cycle:\n    when: prompt is defined\n"
    )

    assert checked(text, benches=(bench("b1", prompt="x"), bench("b2"))) == []


def test_a_label_that_one_bench_lacks_names_the_bench(checked: Say) -> None:
    text = "tests:\n  - {test: t, when: bench.labels.rev == 'B', steps: []}\n"

    assert checked(text, benches=(bench("b1", labels={"rev": "B"}), bench("b2"))) == [
        (
            "recipe.yaml:2:34+3 E305 'bench.labels.rev' is not defined on bench 'b2' "
            "| give that bench the label, or write bench.labels.rev | default(…)"
        )
    ]


def test_a_name_in_a_definition_is_told_there_with_the_place_of_its_use(checked: Say) -> None:
    text = 'vars: {a: "{{ b }}", b: "{{ boot.x }}"}\nsteps:\n  - try_log: "{{ a }}"\n'

    assert checked(text) == [
        (
            "recipe.yaml:1:29+4 E301 unknown name 'boot'"
            " | it is used recipe.yaml:3:15 | it is used recipe.yaml:1:12"
        )
    ]


def test_a_definition_that_nobody_uses_is_checked_all_the_same(checked: Say) -> None:
    assert checked('vars: {a: "{{ imge }}", image: x}\nsteps: [{try_cycle: }]\n') == [
        "recipe.yaml:1:15+4 E301 unknown name 'imge' | did you mean 'image'?"
    ]


def test_a_variable_may_use_what_is_registered_before_it_is_used(checked: Say) -> None:
    text = """
        tests:
          - test: t
            vars: {seconds: "{{ boot.elapsed }}"}
            steps:
              - block:
                  - {try_login: root, register: boot}
                  - try_log: "{{ seconds }} {{ again }}"
                vars: {again: "{{ boot.first.status }}"}
        """

    assert checked(text) == []


def test_a_variable_of_a_step_that_nobody_uses_is_checked_all_the_same(checked: Say) -> None:
    assert checked('steps:\n  - try_cycle:\n    vars: {a: "{{ nothing }}"}\n') == [
        "recipe.yaml:3:19+7 E301 unknown name 'nothing'"
    ]


def test_a_template_that_nobody_uses_must_be_valid_all_the_same(checked: Say) -> None:
    (told,) = checked('steps:\n  - try_cycle:\n    vars: {a: "{{ nothing"}\n')

    assert told.startswith("recipe.yaml:3:16+10 E310 ")


def test_variables_that_go_in_a_circle_are_told(checked: Say) -> None:
    text = 'vars: {a: "{{ b }}", b: "{{ a }}"}\nsteps:\n  - try_log: "{{ a }}"\n'

    (told,) = checked(text)
    assert told.startswith("recipe.yaml:1:11+9 E309 the variable is defined by itself")


def test_e_gives_a_variable_to_all_benches(checked: Say) -> None:
    text = 'steps:\n  - try_log: "{{ prompt.x }}"\n'

    assert checked(text, benches=(bench("b1", prompt="x"), bench("b2")), extra={"prompt": "y"}) == []


# --- actions -------------------------------------------------------------------------------------

LIB = """
actions:
  boot:
    params: {{user: {{type: str}}}}
    steps:
      - try_login: "{{{{ user }}}}"
        register: got
      - try_log: "{name}"
    returns: {returns}
"""


def test_an_action_sees_its_params_and_the_built_ins_only(checked: Say) -> None:
    told = checked(
        "import: lib.yaml\nvars: {speed: 1}\nsteps: [{boot: x}]\n",
        lib=LIB.format(name="{{ speed }}", returns="{}"),
    )

    assert told == [
        (
            "lib.yaml:7:22+5 E301 unknown name 'speed' "
            "| an action sees its params and the built-ins only: pass it in, 'params' of 'boot'"
            " | action 'boot' is called recipe.yaml:3:10"
        )
    ]


def test_what_an_action_returns_has_known_fields(checked: Say) -> None:
    told = checked(
        "import: lib.yaml\nsteps:\n  - {boot: x, register: b}\n"
        '  - try_log: "{{ b.login.elapsd }} {{ b.tim }}"\n',
        lib=LIB.format(name="{{ bench.name }}", returns='{login: "{{ got }}", time: "{{ got.elapsed }}"}'),
    )

    assert told == [
        "recipe.yaml:4:26+6 E302 b.login has no field 'elapsd' | did you mean 'elapsed'?",
        "recipe.yaml:4:41+3 E302 b (boot) has no field 'tim' | did you mean 'time'?",
    ]


def test_a_returned_name_without_braces_is_told(checked: Say) -> None:
    told = checked(
        "import: lib.yaml\nsteps: [{boot: x}]\n", lib=LIB.format(name="x", returns="{time: got.elapsed}")
    )

    assert told == [
        (
            "lib.yaml:8:21+11 E303 'time' returns the text 'got.elapsed', not its value "
            "| write time: \"{{ got.elapsed }}\" | action 'boot' is called recipe.yaml:2:10"
        )
    ]


def test_names_are_checked_without_benches_when_the_recipe_is_wrong_anyway(faults: Say) -> None:
    told = faults(
        'steps:\n  - try_comand: ls\n  - {try_login: a, register: b}\n  - try_log: "{{ b.usr }} {{ any }}"\n'
    )

    assert [line.split(" ")[1] for line in told] == ["E201", "E302"]


def test_steps_of_a_bench_see_its_variables(registry: Registry) -> None:
    steps = read_steps(node("[{try_log: '{{ prompt }} {{ promt }}'}, {try_cycle: }]"), registry, prefix="x")

    with pytest.raises(InputError) as caught:
        check_steps(steps, bench(prompt="x", devices={}), Templates())
    assert [fault.message for fault in caught.value.faults] == [
        "unknown name 'promt'",
        "try_cycle: bench 'b1' has no device that offers Power",
    ]


def test_check_names_raises_them_sorted(read: Read) -> None:
    recipe = read('steps:\n  - try_log: "{{ a }}"\n  - try_log: "{{ b }}"\n')

    with pytest.raises(InputError) as caught:
        check_names(recipe, {0: (bench(),)}, {}, Templates())
    assert [fault.at and fault.at.line for fault in caught.value.faults] == [2, 3]
