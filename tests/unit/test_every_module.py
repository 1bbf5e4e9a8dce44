"""What every module and driver owes to those who use it."""

import re
from pathlib import Path

import pytest

from runner.declaration import DriverType, Verb
from runner.fields import parameters_of
from runner.loader import loads
from runner.recipe.read import read_steps
from runner.reference import driver_page, module_page
from runner.registry import Registry
from runner.schema import convert_value
from runner.type_names import supported

REGISTRY = Registry.built_in()
VERBS = [verb for name in REGISTRY.verb_names() if (verb := REGISTRY.verb(name))]
DRIVERS = [driver for name in REGISTRY.driver_names() if (driver := REGISTRY.driver(name))]
BOTH = [*VERBS, *DRIVERS]


def name_of(declared: Verb | DriverType) -> str:
    return f"{type(declared).__name__.lower()} {declared.name}"


@pytest.mark.parametrize("declared", BOTH, ids=name_of)
def test_its_summary_is_one_sentence(declared: Verb | DriverType) -> None:
    assert declared.summary.endswith(".")
    assert len(declared.summary) < 110


@pytest.mark.parametrize("declared", BOTH, ids=name_of)
def test_every_argument_has_help_and_a_default_of_its_own_type(declared: Verb | DriverType) -> None:
    for parameter in declared.parameters.values():
        assert parameter.help
        assert supported(parameter.hint)
        if not parameter.required and not parameter.rest:
            assert convert_value(parameter, parameter.default) == parameter.default


@pytest.mark.parametrize("verb", VERBS, ids=name_of)
def test_its_example_can_be_read(verb: Verb, tmp_path: Path) -> None:
    assert verb.example, "an Example:: block in the docstring"
    text = re.sub(r"!(env|file) [^\s,}]+", "x", verb.example)
    for file in re.findall(r"[\w/-]+/[\w.-]+", text):
        made = tmp_path / file.lstrip("/")
        made.parent.mkdir(parents=True, exist_ok=True)
        made.touch()
    steps = read_steps(loads(text, str(tmp_path / "example.yaml")), REGISTRY, prefix="example")

    assert steps


@pytest.mark.parametrize("verb", VERBS, ids=name_of)
def test_its_limit_is_one_of_its_arguments(verb: Verb) -> None:
    assert not verb.limited_by or verb.limited_by in verb.parameters
    assert not verb.defines or verb.parameters[verb.defines].rest


@pytest.mark.parametrize("declared", BOTH, ids=name_of)
def test_it_has_a_page(declared: Verb | DriverType) -> None:
    page = module_page(declared) if isinstance(declared, Verb) else driver_page(declared)

    assert page.startswith(f"# {declared.name}")
    for name in declared.parameters:
        assert name in page


@pytest.mark.parametrize("driver", DRIVERS, ids=name_of)
def test_a_driver_offers_something(driver: DriverType) -> None:
    assert driver.interfaces or driver.children


def test_options_inside_options_have_help_too() -> None:
    import dataclasses

    for declared in BOTH:
        for parameter in declared.parameters.values():
            if isinstance(parameter.hint, type) and dataclasses.is_dataclass(parameter.hint):
                for inner in parameters_of(parameter.hint).values():
                    assert inner.help, f"{declared.name}.{parameter.name}.{inner.name}"
