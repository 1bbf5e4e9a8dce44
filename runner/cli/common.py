"""Options and steps that several commands share."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from runner.api.values import Duration
from runner.errors import Fault, Faults, InputError
from runner.inventory.read import default_inventory, find_inventory, read_inventory
from runner.loader.fence import Fence, fence_of
from runner.model import Inventory, Recipe
from runner.recipe.read import survey
from runner.registry import Registry, modules_beside

_Function = TypeVar("_Function", bound=Callable[..., Any])
FORMATS = ("table", "json", "yaml", "name")


def inventory_option(function: _Function) -> _Function:
    """Add ``-i``."""
    return click.option(
        "-i",
        "--inventory",
        "inventories",
        multiple=True,
        metavar="PATH",
        help="An inventory: a file, a folder, or a program that prints JSON. May be given several times.",
    )(function)


def output_option(function: _Function) -> _Function:
    """Add ``-o`` for listings."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(FORMATS),
        default="table",
        show_default=True,
        help="How to print it.",
    )(function)


def extra_option(function: _Function) -> _Function:
    """Add ``-e``."""
    return click.option(
        "-e",
        "--extra",
        multiple=True,
        metavar="NAME=VALUE|@FILE",
        help="A value for a param of the recipe, or a YAML file of them. May be given several times.",
    )(function)


def extra_values(given: Sequence[str]) -> dict[str, Any]:
    """Return the values of ``-e``: text for ``name=value``, typed values from ``@file``."""
    values: dict[str, Any] = {}
    for each in given:
        if each.startswith("@"):
            values.update(_from_file(each[1:]))
            continue
        name, equals, value = each.partition("=")
        if not equals or not name.strip():
            raise InputError([Fault(code="E501", message=f"-e takes NAME=VALUE or @FILE, not {each!r}")])
        values[name.strip()] = value
    return values


def _from_file(path: str) -> dict[str, Any]:
    from runner.document import MapNode, plain
    from runner.loader import load

    node = load(path)
    if not isinstance(node, MapNode):
        raise InputError([Fault(code="E502", message="a file of values is a mapping", at=node.at)])
    return {entry.key.text: plain(entry.value) for entry in node}


def read_recipes(paths: Sequence[str]) -> tuple[tuple[Recipe, ...], Registry]:
    """Read all recipes, with the modules beside each of them; raise InputError with every fault."""
    recipes, registry, faults = survey_recipes(paths)
    faults.raise_if_any()
    return recipes, registry


def survey_recipes(
    paths: Sequence[str], fence: Fence | None = None
) -> tuple[tuple[Recipe, ...], Registry, Faults]:
    """Read what can be read of all recipes, and return it with the modules they use and all faults.

    `fence`: what they may read when they are not trusted; then no code comes along either.
    """
    if fence is not None:
        return _survey_untrusted(paths, fence)
    registry = Registry.built_in()
    faults = Faults()
    recipes: list[Recipe] = []
    for path in paths:
        try:
            registry = with_modules_beside(path, registry)
            recipe, found = survey(path, registry)
            recipes.append(recipe)
            faults.take(found)
            for folder in recipe.module_folders:
                registry = registry.with_folder(folder)
        except InputError as error:
            faults.extend(error)
    return tuple(recipes), registry, faults


def _survey_untrusted(paths: Sequence[str], fence: Fence) -> tuple[tuple[Recipe, ...], Registry, Faults]:
    registry = Registry.only_built_in()
    faults = Faults()
    recipes: list[Recipe] = []
    for path in paths:
        try:
            recipe, found = survey(path, registry, fence)
        except InputError as error:
            faults.extend(error)
        else:
            recipes.append(recipe)
            faults.take(found)
    return tuple(recipes), Registry.built_in(), faults


def fence_around(recipes: Sequence[str], extra: Mapping[str, Any]) -> Fence:
    """Return what recipes may read that are not trusted: their folders, and files named with ``-e``."""
    return fence_of(recipes, (each for each in extra.values() if isinstance(each, str)))


untrusted_option = click.option(
    "--untrusted",
    is_flag=True,
    help="The recipe is a stranger's: no code, programs, environment or files but its own; see the docs.",
)


def with_modules_beside(recipe: str, registry: Registry | None = None) -> Registry:
    """Add the ``modules/`` folder beside a recipe to what is known, unless it is the built-in one."""
    registry = registry or Registry.built_in()
    folder = modules_beside(recipe)
    return registry if folder is None else registry.with_folder(str(folder))


def find_benches(
    inventories: Sequence[str], recipe: str | None, registry: Registry, *, trusted: bool = True
) -> Inventory:
    """Return the inventory that was asked for, or the one found near the recipe, or the simulated bench.

    What lies near a recipe that is not trusted is not looked at.
    """
    if not trusted and not inventories:
        return default_inventory(registry)
    paths = tuple(inventories) or find_inventory(recipe or str(Path.cwd() / "recipe.yaml"))
    return read_inventory(paths, registry) if paths else default_inventory(registry)


def duration(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Duration | None:
    """Take an option as a duration."""
    if value is None:
        return None
    try:
        return Duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def in_ci() -> bool:
    """Tell whether nobody watches."""
    return os.environ.get("CI", "") not in {"", "0", "false"}


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Read without looking for garbage, and keep what was read out of later searches.

    It lives as long as the run: going through it again and again took a fifth of the time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextlib.contextmanager
def in_json(output: str) -> Iterator[None]:
    """Print input errors as JSON on standard output, when that was asked for, and end with 2."""
    try:
        yield
    except InputError as error:
        if output != "json":
            raise
        from runner.report.faults import as_json

        click.echo(as_json(error.faults))
        raise click.exceptions.Exit(2) from error
