"""The schemas for editors: current, and true to recipes and events."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from support.peers import ROOT
from support.playing import play_text, recipe_of

from runner.cli.schema import text_of
from runner.events import to_json
from runner.reference import whole
from runner.registry import Registry
from runner.schema_files import all_schemas

SCHEMAS = all_schemas(Registry.built_in())


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_the_committed_schema_is_current(name: str) -> None:
    committed = (ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")

    assert committed == text_of(SCHEMAS[name]), "run `make schemas`"


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_each_is_a_schema(name: str) -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMAS[name])


def without_tags(path: Path) -> object:
    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("!", lambda loader, suffix, node: str(node.value))
    return yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)


@pytest.mark.parametrize("path", sorted((ROOT / "recipes").glob("*.yaml")), ids=lambda path: path.name)
def test_the_examples_are_recipes_to_an_editor(path: Path) -> None:
    jsonschema.Draft7Validator(SCHEMAS["recipe"]).validate(without_tags(path))


@pytest.mark.parametrize("path", sorted((ROOT / "inventory").glob("*.yaml")), ids=lambda path: path.name)
def test_the_examples_are_inventories_to_an_editor(path: Path) -> None:
    jsonschema.Draft7Validator(SCHEMAS["inventory"]).validate(without_tags(path))


@pytest.mark.parametrize(
    "recipe",
    [
        {"tests": [{"test": "x", "steps": [{"power_cycle": {"off_tiem": "2s"}}]}]},
        {"tests": [{"steps": []}]},
        {"tasks": []},
        {"tests": [{"test": "x", "steps": [{"log": "x", "retries": "many"}]}]},
    ],
)
def test_what_is_wrong_is_wrong_to_an_editor_too(recipe: object) -> None:
    assert not jsonschema.Draft7Validator(SCHEMAS["recipe"]).is_valid(recipe)


def test_every_module_has_its_help_and_example_in_the_schema() -> None:
    verb = SCHEMAS["recipe"]["definitions"]["step"]["properties"]["power_cycle"]

    assert "```yaml" in verb["markdownDescription"]


def test_events_and_results_of_a_run_fit_their_schemas(tmp_path: Path) -> None:
    text = "teardown: [{fail: stuck}]\n" + recipe_of(
        "{command: x, measure: {m: {value: result.elapsed, max: 9}}}", "{fail: no}"
    )
    played = play_text(tmp_path, text)
    validator = jsonschema.Draft7Validator(SCHEMAS["events"])

    for event in played.events:
        validator.validate(json.loads(json.dumps(to_json(event))))


@pytest.mark.parametrize("name", ["modules.md", "drivers.md", "codes.md"])
def test_the_committed_reference_is_current(name: str) -> None:
    committed = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")

    assert committed == whole(Registry.built_in())[name], "run `make schemas`"
