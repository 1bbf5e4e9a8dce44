"""The plan of a bench or several, for commands that use a bench without a recipe."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runner.cli.common import find_benches, with_modules_beside
from runner.cli.play import planned
from runner.engine.options import PlayOptions
from runner.engine.plan import Plan
from runner.errors import Fault, InputError
from runner.inventory.read import find_inventory
from runner.inventory.select import select
from runner.masking import Masker
from runner.registry import Registry

_RECIPE = "name: by hand\nbenches: {bench}\nvars: {vars}\nsteps:\n  - log: by hand\n"


def plan_one(
    bench: str, inventories: tuple[str, ...], *, recipe: str | None, extra: Mapping[str, Any]
) -> tuple[Plan, Registry]:
    """Return the plan of a bench with its options rendered, as a recipe that names it would get it.

    `recipe`: the modules beside it are known, too. Raise InputError when the pattern names
    not exactly one bench.
    """
    inventory = find_benches(inventories, recipe, with_modules_beside(recipe or "recipe.yaml"))
    chosen = select(bench, inventory, None)
    if len(chosen) != 1:
        message = f"{bench!r} names {len(chosen)} benches, and one is needed"
        raise InputError([Fault(code="E505", message=message)])
    return plan_benches([chosen[0].name], inventories, recipe=recipe, extra=extra)


def plan_benches(
    names: Sequence[str], inventories: tuple[str, ...], *, recipe: str | None, extra: Mapping[str, Any]
) -> tuple[Plan, Registry]:
    """Return the plan of several benches by their names."""
    beside = recipe or "recipe.yaml"
    found = inventories or find_inventory(str(Path(beside).resolve()))
    with tempfile.TemporaryDirectory(prefix="runner-by-hand-") as temporary:
        folder = Path(recipe).resolve().parent if recipe else Path(temporary)
        with tempfile.NamedTemporaryFile(
            "w", suffix=".yaml", prefix=".by-hand-", dir=folder, encoding="utf-8"
        ) as file:
            file.write(_RECIPE.format(bench=json.dumps(",".join(names)), vars=json.dumps(dict(extra))))
            file.flush()
            plan, registry, _templates = planned((file.name,), found, PlayOptions(), Masker())
    return plan, registry
