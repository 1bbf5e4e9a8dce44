"""`runner list`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from runner.cli.common import find_benches, inventory_option, output_option, read_recipes, with_modules_beside
from runner.cli.quarantine import state_of
from runner.cli.table import print_rows
from runner.model import Block, Inventory, Parallel, Recipe, Step, Test, Use
from runner.registry import Registry

KINDS = ("tests", "steps", "benches", "tags", "modules", "drivers")


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("recipes", nargs=-1, type=click.Path())
@inventory_option
@output_option
def command(kind: str, recipes: tuple[str, ...], inventories: tuple[str, ...], output: str) -> int:
    """List tests, steps or tags of recipes, benches of an inventory, or what modules and drivers there are.

    \b
    Examples:
      runner list tests recipes/quickstart.yaml
      runner list benches -i lab.yaml -o json
      runner list modules -o name
    """
    if kind in {"tests", "steps", "tags"}:
        if not recipes:
            raise click.UsageError(f"which recipe? runner list {kind} RECIPE…")
        read, _registry = read_recipes(recipes)
        rows = [row for recipe in read for row in _of_recipe(kind, recipe)]
    else:
        registry = Registry.built_in()
        for recipe in recipes or ("recipe.yaml",):
            registry = with_modules_beside(recipe, registry)
        rows = list(_of_registry(kind, registry, inventories, recipes))
    print_rows(rows, output)
    return 0


def _of_recipe(kind: str, recipe: Recipe) -> Iterator[dict[str, Any]]:
    tests = [test for play in recipe.plays for test in play.tests]
    if kind == "tests":
        for test in tests:
            yield {"test": test.name, "rows": len(test.matrix), "tags": list(test.tags), "at": str(test.at)}
    elif kind == "tags":
        tags = sorted(
            {tag for test in tests for tag in test.tags} | {tag for play in recipe.plays for tag in play.tags}
        )
        yield from ({"tag": tag, "tests": [test.name for test in tests if tag in test.tags]} for tag in tags)
    else:
        for play in recipe.plays:
            for phase, steps in _phases(play.setup, play.tests, play.teardown):
                for step in _flat(steps):
                    verb = (
                        step.what.verb.name
                        if isinstance(step.what, Use)
                        else type(step.what).__name__.lower()
                    )
                    yield {"step": step.name or step.title, "module": verb, "in": phase, "at": str(step.at)}


def _phases(
    setup: tuple[Step, ...], tests: tuple[Test, ...], teardown: tuple[Step, ...]
) -> Iterator[tuple[str, tuple[Step, ...]]]:
    yield "setup", setup
    for test in tests:
        yield test.name, (*test.setup, *test.steps, *test.teardown)
    yield "teardown", teardown


def _flat(steps: tuple[Step, ...]) -> Iterator[Step]:
    for step in steps:
        yield step
        if isinstance(step.what, Block):
            yield from _flat((*step.what.steps, *step.what.rescue, *step.what.always))
        elif isinstance(step.what, Parallel):
            yield from _flat(step.what.steps)


def _of_registry(
    kind: str, registry: Registry, inventories: tuple[str, ...], recipes: tuple[str, ...]
) -> Iterator[dict[str, Any]]:
    if kind == "modules":
        for name in registry.verb_names():
            verb = registry.verb(name)
            if verb is not None:
                yield {"module": name, "family": verb.family, "summary": verb.summary}
    elif kind == "drivers":
        for name in registry.driver_names():
            driver = registry.driver(name)
            if driver is not None:
                parts = {part: sorted(offered) for part, offered in driver.children.items()}
                offers = [
                    *sorted(driver.interfaces),
                    *(f"{part}: {' '.join(what)}" for part, what in parts.items()),
                ]
                yield {"driver": name, "family": driver.family, "offers": offers, "summary": driver.summary}
    else:
        yield from bench_rows(find_benches(inventories, recipes[0] if recipes else None, registry))


def bench_rows(inventory: Inventory) -> Iterator[dict[str, Any]]:
    """Return a row for each bench."""
    for bench in inventory.benches.values():
        drivers = {
            name: device.driver.name if device.driver else f"→ {device.ref}"
            for name, device in bench.devices.items()
        }
        yield {
            "bench": bench.name,
            "host": bench.host.name,
            "labels": dict(bench.labels),
            "groups": list(bench.groups),
            "devices": drivers,
            "state": state_of(bench),
        }
