"""Imported actions and modules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runner.errors import InputError
from runner.model import Call, Recipe, Use
from runner.recipe.read import read_recipe
from runner.registry import Registry

Read = Callable[..., Recipe]
Say = Callable[..., list[str]]

PLAY = "import: [lib/a.yaml]\nsteps:\n  - boot: root\n"


def test_an_action_is_used_like_a_module(read: Read) -> None:
    recipe = read(
        PLAY,
        lib__a="""
        actions:
          boot:
            help: Boot and log in.
            params: {user: {type: str, help: who}}
            steps: [{try_login: "{{ user }}", register: got}]
            returns: {time: "{{ got.elapsed }}"}
        """,
    )
    call = recipe.plays[0].tests[0].steps[0].what

    assert isinstance(call, Call)
    assert (call.action.help, call.action.steps[0].id) == ("Boot and log in.", "actions.boot.steps[0]")
    assert call.arguments["user"].value == "root"
    assert list(call.action.returns) == ["time"]
    assert list(recipe.actions) == ["boot"]


def test_an_unknown_argument_of_an_action_is_told(faults: Say) -> None:
    told = faults(
        "import: lib/a.yaml\nsteps:\n  - boot: {usr: root}\n",
        lib__a="actions: {boot: {params: {user: {type: str, default: x}}, steps: []}}",
    )

    assert told == [
        "recipe.yaml:3:12+3 E231 boot has no argument 'usr' | did you mean 'user'?  (user: text = 'x')"
    ]


def test_a_fault_in_an_imported_file_shows_the_chain_of_imports(faults: Say) -> None:
    told = faults(
        PLAY,
        lib__a="import: b.yaml\nactions: {boot: {params: {u: {type: str}}, steps: [{inner: }]}}",
        lib__b="actions: {inner: {steps: [{try_comand: ls}]}}",
    )

    assert told == [
        (
            "lib/b.yaml:1:28+10 E201 no module 'try_comand' | did you mean 'try_command'?"
            " | lib/a.yaml is imported recipe.yaml:1:10 | b.yaml is imported lib/a.yaml:1:9"
        )
    ]


def test_yaml_that_is_broken_in_an_imported_file_shows_the_chain(faults: Say) -> None:
    (told, *_) = faults(PLAY, lib__a="actions: {{ x }}")

    assert told.startswith("lib/a.yaml:1:1")
    assert told.endswith("lib/a.yaml is imported recipe.yaml:1:10")


def test_imports_in_a_circle_are_refused(faults: Say) -> None:
    told = faults("import: a.yaml\nsteps: []\n", a="import: b.yaml\n", b="import: a.yaml\n")

    assert told == [
        (
            "b.yaml:1:9+6 E215 the imports go in a circle: a.yaml → b.yaml → a.yaml | drop one of them"
            " | a.yaml is imported recipe.yaml:1:9 | b.yaml is imported a.yaml:1:9"
        )
    ]


def test_an_action_that_calls_itself_is_refused(faults: Say) -> None:
    told = faults(
        "import: a.yaml\nsteps: [{one: }]\n",
        a="actions:\n  one: {steps: [{two: }]}\n  two: {steps: [{one: }]}\n",
    )

    assert told == [
        (
            "a.yaml:3:18+3 E216 the action calls itself: one → two → one "
            "| use 'until' or 'loop' to repeat steps | a.yaml is imported recipe.yaml:1:9"
        )
    ]


def test_an_action_sees_only_what_its_own_file_imports(faults: Say) -> None:
    told = faults(
        "import: [a.yaml, b.yaml]\nsteps: [{one: }]\n",
        a="actions: {one: {steps: [{two: }]}}",
        b="actions: {two: {steps: []}}",
    )

    assert [line.partition(" |")[0] for line in told] == ["a.yaml:1:26+3 E201 no module 'two'"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{try_log: {steps: []}}", "1:11+7 E217 'try_log' is a module already | rename the action"),
        ("{when: {steps: []}}", "1:11+4 E217 'when' is a key of steps already | rename the action"),
        ("{a-b: {steps: []}}", "1:11+3 E220 'a-b' cannot be the name of a action | write a_b"),
        ("{a: {}}", "1:11+1 E205 action 'a' has no steps | add 'steps:'"),
        ("{a: {stps: [], steps: []}}", "1:15+4 E202 an action has no key 'stps' | did you mean 'steps'?"),
    ],
)
def test_a_wrong_action_is_told(faults: Say, body: str, told: str) -> None:
    assert faults("import: a.yaml\nsteps: []\n", a=f"actions: {body}") == [
        f"a.yaml:{told} | a.yaml is imported recipe.yaml:1:9"
    ]


def test_two_actions_of_one_name_are_refused(faults: Say) -> None:
    (told,) = faults(
        "import: [a.yaml, b.yaml]\nsteps: []\n",
        a="actions: {one: {steps: []}}",
        b="actions: {one: {steps: []}}",
    )

    assert told.startswith(
        "b.yaml:1:11+3 E217 two actions are called 'one' | the other one stands at a.yaml:1:11"
    )


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("lib/linus.yaml", "E214 there is no file 'lib/linus.yaml' to import | did you mean 'linux.yaml'?"),
        ("lib", "E214 the folder 'lib' holds no modules | name the files of actions in it one by one"),
    ],
)
def test_what_cannot_be_imported_is_told(faults: Say, path: str, told: str) -> None:
    assert faults(f"import: {path}\nsteps: []\n", lib__linux="actions: {}") == [
        f"recipe.yaml:1:9+{len(path)} {told}"
    ]


MODULE = '''
from runner.api import Context, Module


class Wave(Module):
    """Wave at somebody."""

    def run(self, context: Context) -> None:
        """Do nothing."""
'''


@pytest.mark.parametrize("folder", ["modules", "mine"])
def test_a_folder_of_modules_is_found_beside_the_recipe_or_imported(
    write: Callable[..., Path], registry: Registry, tmp_path: Path, folder: str
) -> None:
    path = write("steps: [{wave: }]\n" + ("import: [mine]\n" if folder == "mine" else ""))
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "wave.py").write_text(MODULE, encoding="utf-8")

    recipe = read_recipe(str(path), registry)

    use = recipe.plays[0].tests[0].steps[0].what
    assert isinstance(use, Use)
    assert (use.verb.name, recipe.module_folders) == ("wave", (str(tmp_path / folder),))


def test_a_module_that_cannot_be_imported_is_told_once(
    write: Callable[..., Path], registry: Registry, tmp_path: Path
) -> None:
    path = write("steps: [{wave: }, {wave: }]\n")
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "wave.py").write_text("import no_such_library\n" + MODULE, encoding="utf-8")

    with pytest.raises(InputError) as caught:
        read_recipe(str(path), registry)
    assert [fault.message for fault in caught.value.faults] == [
        "ModuleNotFoundError: No module named 'no_such_library'"
    ]
