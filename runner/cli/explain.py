"""`runner explain`."""

from __future__ import annotations

import os
from typing import Any

import click

from runner.cli.common import extra_option, extra_values, inventory_option
from runner.cli.play import planned
from runner.document import Node, plain
from runner.engine.options import PlayOptions
from runner.engine.plan import PlannedBench, PlannedPlay
from runner.engine.scope import Scope
from runner.errors import Fault, InputError, did_you_mean
from runner.inventory.variables import bench_names
from runner.masking import Masker
from runner.template import RenderError, Templates


@click.command()
@click.argument("variable")
@click.argument("recipe", type=click.Path())
@inventory_option
@click.option("-l", "--limit", default="", metavar="PATTERN", help="Only these of the play's benches.")
@extra_option
def command(
    variable: str, recipe: str, inventories: tuple[str, ...], limit: str, extra: tuple[str, ...]
) -> int:
    """Show a variable's value on each bench, and every definition that it shadows.

    \b
    Examples:
      runner explain image recipes/boot.yaml
      runner explain shell_prompt boot.yaml -i lab.yaml -l rpi4-01
    """
    masker = Masker()
    options = PlayOptions(extra=extra_values(extra), limit=limit)
    plan, _registry, templates = planned((recipe,), inventories, options, masker)
    found = False
    known: set[str] = set()
    for play in plan.plays:
        for bench in play.benches:
            layers = definitions(variable, play, bench, options)
            known.update(bench.nodes, bench.values)
            if layers:
                found = True
                click.echo(masker.mask(_told(variable, bench, layers, templates)))
    if not found:
        fault = Fault(code="E301", message=f"no variable {variable!r}", hint=did_you_mean(variable, known))
        raise InputError([fault])
    return 0


def definitions(
    variable: str, play: PlannedPlay, bench: PlannedBench, options: PlayOptions
) -> list[tuple[str, str, Any]]:
    """Return (layer, place, value as written) of every definition, from the lowest precedence up."""
    layers: list[tuple[str, str, Any]] = []
    param = play.play.params.get(variable)
    if param is not None and param.default is not None:
        layers.append(("default of the param", str(param.at), _written(param.default)))
    layers.extend(
        (definition.layer, str(definition.node.at), _written(definition.node))
        for definition in (*bench.bench.variables, *play.play.variables)
        if definition.name == variable
    )
    if param is not None and param.env in os.environ and variable not in options.extra:
        layers.append((f"environment variable {param.env}", "", os.environ[param.env]))
    for test in play.play.tests:
        if variable in test.variables:
            node = test.variables[variable]
            layers.append((f"vars of test {test.name!r}", str(node.at), _written(node)))
    if variable in options.extra:
        layers.append(("-e", "", options.extra[variable]))
    return layers


def _written(node: Node) -> Any:
    return plain(node)


def _told(
    variable: str, bench: PlannedBench, layers: list[tuple[str, str, Any]], templates: Templates
) -> str:
    names = Scope(templates, values={"bench": bench_names(bench.bench)}).child(
        values=bench.values, nodes=bench.nodes
    )
    try:
        value = repr(names[variable])
    except KeyError:
        value = "(only inside its test)"
    except RenderError as error:
        value = f"(known only while it runs: {error.message})"
    lines = [f"{bench.bench.name}: {variable} = {value}"]
    for number, (layer, at, written) in enumerate(reversed(layers)):
        place = f"  ({at})" if at else ""
        lines.append(f"  {'from' if number == 0 else 'hides'} {layer}: {written!r}{place}")
    return "\n".join(lines)
