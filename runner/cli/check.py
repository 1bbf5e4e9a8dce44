"""`runner check`."""

from __future__ import annotations

from typing import Any

import click

from runner.cli.common import (
    extra_option,
    extra_values,
    fence_around,
    in_json,
    inventory_option,
    untrusted_option,
)
from runner.cli.play import planned
from runner.engine.options import PlayOptions
from runner.engine.plan import Plan, PlannedPlay
from runner.masking import Masker


@click.command()
@click.argument("recipes", nargs=-1, required=True, type=click.Path())
@inventory_option
@click.option("-l", "--limit", default="", metavar="PATTERN", help="Only these of the play's benches.")
@extra_option
@untrusted_option
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", help="How to print it.")
def command(
    recipes: tuple[str, ...],
    inventories: tuple[str, ...],
    limit: str,
    extra: tuple[str, ...],
    untrusted: bool,
    output: str,
) -> int:
    """Check recipes without touching any hardware.

    Grammar, modules, arguments and their types, names and result fields, devices of every
    bench: everything that can be known before the first step, in one pass.

    \b
    Examples:
      runner check recipes/*.yaml
      runner check boot.yaml -i lab.yaml -o json
    """
    with in_json(output):
        values = extra_values(extra)
        fence = fence_around(recipes, values) if untrusted else None
        options = PlayOptions(extra=values, limit=limit, untrusted=fence)
        plan, _registry, _templates = planned(recipes, inventories, options, Masker())
    if output == "json":
        import json

        click.echo(json.dumps({"faults": [], "plays": [_summary(each) for each in plan.plays]}))
        return 0
    _print(plan)
    return 0


def _counted(number: object, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _print(plan: Plan) -> None:
    for each in plan.plays:
        said = _summary(each)
        name = f" ({said['play']})" if said["play"] else ""
        size = f"{_counted(said['tests'], 'test')}, {_counted(said['cases'], 'case')}"
        click.echo(f"{said['recipe']}{name}: fine: {size} on {', '.join(said['benches'])}")
    for note in plan.notes:
        click.echo(f"note: {note}")


def _benches(planned_play: PlannedPlay) -> int:
    if planned_play.play.strategy == "shard":
        return 1
    return planned_play.play.take or len(planned_play.benches)


def _summary(planned_play: PlannedPlay) -> dict[str, Any]:
    return {
        "recipe": planned_play.recipe.path,
        "play": planned_play.play.name,
        "tests": len(planned_play.play.tests),
        "cases": len(planned_play.cases) * _benches(planned_play),
        "benches": [each.bench.name for each in planned_play.benches],
    }
