"""A recipe file becomes a Recipe; everything that is wrong with it is told at once."""

from __future__ import annotations

from pathlib import Path

from runner.document import ListNode, MapNode, Node
from runner.errors import Faults, InputError, Location
from runner.loader import load
from runner.loader.fence import Fence
from runner.model import Play, Recipe, Step
from runner.recipe.actions import Actions
from runner.recipe.fields import wrong
from runner.recipe.imports import Importer, Source
from runner.recipe.play import Written, read_play
from runner.recipe.reading import Reading, Verbs
from runner.recipe.static import survey_names
from runner.recipe.steps import read_steps as steps_of
from runner.recipe.untrusted import refuse_code, refuse_untrusted
from runner.registry import Registry, modules_beside
from runner.template import Templates


def read_recipe(path: str, registry: Registry) -> Recipe:
    """Read a recipe and what it imports; raise InputError with every fault of all these files."""
    recipe, faults = survey(path, registry)
    if len(faults):
        survey_names(recipe, {}, {}, Templates(), faults)
    faults.raise_if_any()
    return recipe


def survey(path: str, registry: Registry, fence: Fence | None = None) -> tuple[Recipe, Faults]:
    """Read what can be read of a recipe, and return it with all faults.

    A step that is broken keeps its name and register, so that the names of the steps
    after it can be judged all the same. Raises InputError when the file is not YAML.
    `fence`: what it may read, and nothing of its own code, when it is not trusted.
    """
    faults = Faults()
    written = _plays(load(path, fence=fence), path, faults)
    importer = Importer(faults, fence)
    beside = modules_beside(path)
    if beside is not None:
        if fence is None:
            importer.add_folder(str(beside))
        else:
            refuse_code("the folder modules/ beside the recipe", Location(path, 1, 1), faults)
    imports = [_imports(each, importer, faults) for each in written]
    actions = Actions(Verbs(_extended(registry, importer, faults)), faults, fence)
    actions.declare(importer.sources())
    plays = tuple(
        read_play(each, actions.reading(Source(path=Path(path), chain=(), imports=sources), faults))
        for each, sources in zip(written, imports, strict=True)
    )
    _refuse_twice(plays, faults)
    recipe = Recipe(
        path=path,
        name=Path(path).stem,
        plays=plays,
        actions=actions.read_all(importer.sources()),
        module_folders=tuple(importer.folders),
    )
    if fence is not None:
        refuse_untrusted(recipe, fence, faults)
    return recipe, faults


def read_steps(node: Node, registry: Registry, *, prefix: str) -> tuple[Step, ...]:
    """Read steps that stand outside a recipe (``on_acquire`` of a bench); raise InputError."""
    faults = Faults()

    def none(_name: str, _at: Location) -> None:
        return None

    reading = Reading(verbs=Verbs(registry), faults=faults, action=none, actions=tuple)
    steps = steps_of(node, prefix, reading)
    faults.raise_if_any()
    return steps


def _extended(registry: Registry, importer: Importer, faults: Faults) -> Registry:
    for folder in importer.folders:
        try:
            registry = registry.with_folder(folder)
        except InputError as error:
            faults.extend(error)
    return registry


def _plays(node: Node, path: str, faults: Faults) -> list[Written]:
    base = Path(path).resolve().parent
    stem = Path(path).stem
    if isinstance(node, MapNode):
        return [Written(node=node, base=base, name=stem)]
    if not isinstance(node, ListNode) or not node.items:
        wrong(node, "a recipe", "a play or a list of plays", faults)
        return []
    written: list[Written] = []
    for index, item in enumerate(node.items):
        if not isinstance(item, MapNode):
            wrong(item, "a play", "a mapping", faults)
            continue
        if _is_step(item):
            faults.add(
                "E226",
                "a recipe is a list of plays, this looks like a test or a step",
                at=item.at,
                hint="put it below 'tests:' or 'steps:'",
            )
            return []
        prefix = f"plays[{index}]." if len(node.items) > 1 else ""
        name = f"play {index + 1}" if len(node.items) > 1 else stem
        written.append(Written(node=item, base=base, prefix=prefix, name=name))
    return written


def _is_step(node: MapNode) -> bool:
    plain_play = {"tests", "steps", "tasks", "hosts", "benches", "setup", "teardown"}
    return node.get("test") is not None or plain_play.isdisjoint(node.names())


def _imports(written: Written, importer: Importer, faults: Faults) -> tuple[Source, ...]:
    node = written.node.get("import")
    return importer.read(node, written.base, (), faults) if node is not None else ()


def _refuse_twice(plays: tuple[Play, ...], faults: Faults) -> None:
    first: dict[str, Location] = {}
    for play in plays:
        if play.name in first:
            faults.add(
                "E209",
                f"two plays of one recipe are called {play.name!r}",
                at=play.at,
                hint=f"the first one stands at {first[play.name]}; the names are part of the case ids",
            )
        first.setdefault(play.name, play.at)
