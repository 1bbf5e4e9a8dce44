"""`runner do`."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import click

from runner.cli.ask_person import person
from runner.cli.common import find_benches, inventory_option, with_modules_beside
from runner.cli.play import Asked, planned, run_plan
from runner.engine.attendant import refuse_without_person
from runner.engine.options import PlayOptions
from runner.errors import Fault, InputError
from runner.inventory.select import select
from runner.masking import Masker


@click.command()
@click.argument("bench")
@click.argument("module")
@click.argument("arguments", nargs=-1)
@inventory_option
@click.option("--recipe", metavar="FILE", help="Take in the modules beside this recipe.")
@click.option("--console", is_flag=True, help="Print what the consoles say.")
@click.option(
    "--results", default="results", show_default=True, metavar="DIR", help="Where the run's folder is made."
)
@click.option("-v", "--verbose", count=True, help="Say more.")
def command(
    bench: str,
    module: str,
    arguments: tuple[str, ...],
    inventories: tuple[str, ...],
    recipe: str | None,
    console: bool,
    results: str,
    verbose: int,
) -> int:
    """Run one module on one bench, as a recipe of one step.

    \b
    Examples:
      runner do sim power_cycle off_time=1s
      runner do rpi4-01 uboot_cmd 'printenv bootcmd' -i lab.yaml --console
    """
    inventory = find_benches(inventories, recipe, with_modules_beside(recipe or "recipe.yaml"))
    chosen = select(bench, inventory, None)
    if len(chosen) != 1:
        raise InputError(
            [Fault(code="E505", message=f"{bench!r} names {len(chosen)} benches, and one is needed")]
        )
    folder = Path(recipe).resolve().parent if recipe else Path.cwd()
    with tempfile.NamedTemporaryFile(
        "w", suffix=".yaml", prefix=".do-", dir=folder, encoding="utf-8"
    ) as file:
        file.write(one_step(bench, module, arguments))
        file.flush()
        masker = Masker()
        plan, registry, templates = planned((file.name,), inventories, PlayOptions(person=person()), masker)
        if plan.options.person is None:
            refuse_without_person(plan)
        asked = Asked(
            recipes=(f"do {bench} {module}",),
            inventories=inventories,
            junit=None,
            results=results,
            console=console,
            output="text",
            verbose=max(1, verbose),
        )
        return run_plan(plan, registry, templates, masker, asked)


def one_step(bench: str, module: str, arguments: tuple[str, ...]) -> str:
    """Return the text of a recipe with one step; ``name=value`` sets an argument, one bare word the primary.

    >>> print(one_step("sim", "wait", ("1s",)), end="")
    name: do wait
    benches: "sim"
    steps:
      - wait: 1s
    """
    return f"name: do {module}\nbenches: {json.dumps(bench)}\nsteps:\n  - {module}: {_value(arguments)}\n"


def _value(arguments: tuple[str, ...]) -> str:
    pairs = [each.partition("=") for each in arguments]
    if len(arguments) == 1 and not (pairs[0][1] and pairs[0][0].isidentifier()):
        return arguments[0] if _bare(arguments[0]) else json.dumps(arguments[0])
    wrong = [
        each
        for each, (name, equals, _value) in zip(arguments, pairs, strict=True)
        if not equals or not name.isidentifier()
    ]
    if wrong:
        raise InputError([Fault(code="E501", message=f"arguments are written NAME=VALUE, not {wrong[0]!r}")])
    written = ", ".join(
        f"{name}: {value if _bare(value) else json.dumps(value)}" for name, _equals, value in pairs
    )
    return f"{{{written}}}"


def _bare(value: str) -> bool:
    """Tell whether a value means the same in YAML without quotes: numbers, words, flow lists."""
    return value[:1] in {"[", "{"} or (
        all(each.isalnum() or each in "._-/" for each in value) and value != ""
    )
