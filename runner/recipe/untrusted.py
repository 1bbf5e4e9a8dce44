"""What a recipe of a stranger may not do, found before anything runs."""

from __future__ import annotations

from collections.abc import Iterator

from runner.api.values import files_in
from runner.errors import Faults, Location
from runner.loader.fence import Fence
from runner.model import Recipe, Step, Use
from runner.recipe.later import all_steps


def refuse_untrusted(recipe: Recipe, fence: Fence, faults: Faults) -> None:
    """Note every step that could run anything, and every file or variable that is none of the recipe's."""
    for step in _steps(recipe):
        if isinstance(step.what, Use):
            _refuse_step(step.at, step.what, fence, faults)
    for play in recipe.plays:
        for name, param in play.params.items():
            if param.env:
                hint = f"give it with -e {name}=…"
                faults.add("E603", f"param {name!r} asks for ${param.env}", at=param.at, hint=hint)


def refuse_code(what: str, at: Location, faults: Faults) -> None:
    """Note code that comes with a recipe."""
    hint = "built-in modules are all that --untrusted allows"
    faults.add("E601", f"{what} holds modules of the recipe's author", at=at, hint=hint)


def refuse_file(path: str, at: Location, faults: Faults) -> None:
    """Note a file that is not the recipe's."""
    hint = "name it yourself with -e, if it is meant to be read"
    faults.add("E604", f"{path} is not in the recipe's folder", at=at, hint=hint)


def _steps(recipe: Recipe) -> Iterator[Step]:
    for play in recipe.plays:
        yield from all_steps((*play.setup, *play.teardown))
        for test in play.tests:
            yield from all_steps((*test.setup, *test.steps, *test.teardown))
    for action in recipe.actions.values():
        yield from all_steps(action.steps)


def _refuse_step(at: Location, use: Use, fence: Fence, faults: Faults) -> None:
    if use.verb.unconfined:
        hint = "read the recipe; if you trust it, play it without --untrusted"
        faults.add("E602", f"{use.verb.name} can do whatever its user may", at=at, hint=hint)
    for bound in use.arguments.values():
        for path in files_in(bound.value):
            if not fence.holds(path):
                refuse_file(path, bound.node.at, faults)
