"""Params: how they are declared, and where their values come from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.api.values import Duration, Size
from runner.errors import Faults, InputError
from runner.model import Recipe
from runner.recipe.params import check_extra, param_values

Read = Callable[..., Recipe]
Say = Callable[..., list[str]]

STEP = "steps: [{try_cycle: }]\n"


def values(
    recipe: Recipe, extra: dict[str, object], environment: dict[str, str] | None = None
) -> dict[str, Any]:
    """Return the values of the params of the only play."""
    faults = Faults()
    found, _ = param_values(recipe.plays[0], extra, environment or {}, faults)
    faults.raise_if_any()
    return found


@pytest.mark.parametrize(
    ("declared", "given", "value"),
    [
        ("{type: int, default: 3}", None, 3),
        ("{type: int, default: 3}", "4", 4),
        ("{type: duration, default: 40s}", None, Duration("40s")),
        ("{type: duration, default: 40s}", "1m", Duration("1m")),
        ("{type: size, required: true}", "4KiB", Size("4KiB")),
        ("{type: str, default: 1.10}", None, "1.10"),
        ("{type: str, required: true}", "0644", "0644"),
        ("{type: bool, default: false}", "true", True),
        ("{type: list, default: [1, a]}", None, [1, "a"]),
        ("{type: map, default: {a: 1}}", None, {"a": 1}),
        ("{choices: [fast, slow], default: fast}", "slow", "slow"),
        ("{type: str, required: false}", None, None),
    ],
)
def test_a_param_has_a_typed_value(read: Read, declared: str, given: str | None, value: object) -> None:
    recipe = read(f"params:\n  p: {declared}\n{STEP}")

    assert values(recipe, {} if given is None else {"p": given}) == {"p": value}


def test_the_environment_gives_a_value_and_e_wins(read: Read) -> None:
    recipe = read(f"params:\n  p: {{type: int, default: 1, env: P}}\n{STEP}")

    assert values(recipe, {}, {"P": "2"}) == {"p": 2}
    assert values(recipe, {"p": "3"}, {"P": "2"}) == {"p": 3}


def test_a_default_with_a_template_is_left_for_the_run(read: Read) -> None:
    recipe = read(f'params:\n  p: {{type: str, default: "{{{{ bench.name }}}}"}}\n{STEP}')
    found, nodes = param_values(recipe.plays[0], {}, {}, Faults())

    assert (found, list(nodes)) == ({}, ["p"])


def test_a_path_is_relative_to_the_file_that_names_it(read: Read, tmp_path: Path) -> None:
    recipe = read(f"params:\n  p: {{type: path, default: v.yaml}}\n{STEP}", v="a: 1\n")

    assert values(recipe, {}) == {"p": str(tmp_path / "v.yaml")}


def test_a_default_file_need_not_exist_when_another_is_given(read: Read) -> None:
    recipe = read(f"params:\n  p: {{type: path, default: no.img}}\n{STEP}", v="a: 1\n")

    assert str(values(recipe, {"p": "v.yaml"})["p"]).endswith("v.yaml")
    with pytest.raises(InputError, match=r"no such file: .*no\.img"):
        values(recipe, {})


def test_a_required_param_without_a_value_says_how_to_give_one(read: Read) -> None:
    recipe = read(f"params:\n  image: {{type: str, required: true, env: IMAGE, help: the image}}\n{STEP}")

    with pytest.raises(InputError) as caught:
        values(recipe, {})
    (fault,) = caught.value.faults
    assert (fault.code, fault.message) == ("E513", "param 'image' (the image) has no value")
    assert (fault.hint, str(fault.at)) == (
        "add -e image=…, or set IMAGE in the environment",
        "recipe.yaml:2:3",
    )


def test_a_value_of_the_wrong_type_names_the_param(read: Read) -> None:
    recipe = read(f"params:\n  n: {{type: int, default: 1}}\n{STEP}")

    with pytest.raises(InputError) as caught:
        values(recipe, {"n": "many"})
    (fault,) = caught.value.faults
    assert fault.message == "-e n does not fit: expected a whole number, got 'many'"
    assert fault.hint == "param 'n' is whole number (recipe.yaml:2:3)"


def test_a_secret_of_the_wrong_type_is_not_shown(read: Read) -> None:
    recipe = read(f"params:\n  n: {{type: int, secret: true, required: true}}\n{STEP}")

    with pytest.raises(InputError) as caught:
        values(recipe, {"n": "hunter2"})
    assert "hunter2" not in caught.value.faults[0].message


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ("int", "2:6+3 E200 param 'p' must be a mapping, got 'int' | write p: {type: int}"),
        ("{type: integer}", "2:13+7 E224 no type 'integer' | did you mean 'int'?"),
        ("{type: str, defualt: a}", "2:18+7 E202 param 'p' has no key 'defualt' | did you mean 'default'?"),
        (
            "{type: int, default: many}",
            "2:27+4 E234 param 'p' of the play: p: expected a whole number, got 'many'",
        ),
        (
            "{type: int, default: 1, required: true}",
            "2:30+8 E224 a param with a default is not required | leave out 'required' or 'default'",
        ),
    ],
)
def test_a_wrong_declaration_is_told(faults: Say, declared: str, told: str) -> None:
    assert faults(f"params:\n  p: {declared}\n{STEP}") == [f"recipe.yaml:{told}"]


def test_an_unknown_name_of_e_is_refused_with_the_nearest_one(read: Read) -> None:
    recipe = read(f"params:\n  image: {{type: str, required: true}}\nvars: {{speed: 1}}\n{STEP}")

    check_extra(recipe, {"image": "x", "speed": "2"})
    with pytest.raises(InputError) as caught:
        check_extra([recipe], {"imge": "x"})
    (fault,) = caught.value.faults
    assert (fault.code, fault.message, fault.hint) == (
        "E511",
        "-e imge: no param or variable 'imge'",
        "did you mean 'image'?",
    )
