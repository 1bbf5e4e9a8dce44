"""Actions: verbs made of steps, read when they are first called."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from runner.document import Entry, MapNode, Node
from runner.errors import Faults, Location
from runner.loader.fence import Fence
from runner.model import Action
from runner.recipe.fields import keyed, text, unknown_keys, wrong
from runner.recipe.identifiers import check_identifier
from runner.recipe.imports import Source, files_of
from runner.recipe.modifiers import MODIFIERS
from runner.recipe.params import read_action_params
from runner.recipe.reading import ChainedFaults, Reading, Verbs
from runner.recipe.steps import read_steps

_KEYS = ("help", "params", "steps", "returns")
_RESERVED = (*MODIFIERS, "block", "rescue", "always", "parallel", "stop", "join")


class Actions:
    """All actions that a recipe imports; each is read once, with the faults of its own file."""

    def __init__(self, verbs: Verbs, faults: Faults, fence: Fence | None = None) -> None:
        """Read them with these modules, within the fence of a recipe that is not trusted."""
        self._fence = fence
        self._verbs = verbs
        self._faults = faults
        self._made: dict[tuple[Path, str], Action | None] = {}
        self._open: list[tuple[str, Source]] = []

    def declare(self, sources: tuple[Source, ...]) -> None:
        """Refuse names that stand twice, or that mean something already."""
        first: dict[str, Entry] = {}
        for name, source in files_of(sources):
            entry = source.actions[name]
            faults = ChainedFaults(self._faults, source.chain)
            check_identifier(entry.key, "action", faults)
            if name in _RESERVED:
                faults.add(
                    "E217", f"{name!r} is a key of steps already", at=entry.key.at, hint="rename the action"
                )
            elif self._verbs.find(name, faults) is not None:
                faults.add("E217", f"{name!r} is a module already", at=entry.key.at, hint="rename the action")
            elif name in first:
                hint = f"the other one stands at {first[name].key.at}"
                faults.add("E217", f"two actions are called {name!r}", at=entry.key.at, hint=hint)
            first.setdefault(name, entry)

    def reading(self, source: Source, faults: Faults) -> Reading:
        """Return the surroundings for a file that sees what `source` imports."""
        visible = source.visible()

        def find(name: str, at: Location) -> Action | None:
            return self._find(name, visible, at, faults)

        names = tuple(visible)
        return Reading(
            verbs=self._verbs, faults=faults, action=find, actions=lambda: names, fence=self._fence
        )

    def read_all(self, sources: tuple[Source, ...]) -> dict[str, Action]:
        """Read every action, called or not, and return them by name."""
        for name, source in files_of(sources):
            self._read(name, source)
        found = ((name, self._made[source.path, name]) for name, source in files_of(sources))
        return {name: action for name, action in found if action is not None}

    def _find(self, name: str, visible: Mapping[str, Source], at: Location, faults: Faults) -> Action | None:
        source = visible.get(name)
        if source is None:
            return None
        if (name, source) in self._open:
            circle = [each for each, _ in self._open[self._open.index((name, source)) :]]
            faults.add(
                "E216",
                f"the action calls itself: {' → '.join((*circle, name))}",
                at=at,
                hint="use 'until' or 'loop' to repeat steps",
            )
            return None
        return self._read(name, source)

    def _read(self, name: str, source: Source) -> Action | None:
        key = (source.path, name)
        if key not in self._made:
            self._open.append((name, source))
            self._made[key] = self._action(source.actions[name], source)
            self._open.pop()
        return self._made[key]

    def _action(self, entry: Entry, source: Source) -> Action | None:
        faults = ChainedFaults(self._faults, source.chain)
        name = entry.key.text
        if not isinstance(entry.value, MapNode):
            wrong(entry.value, f"action {name!r}", "a mapping with 'steps'", faults)
            return None
        unknown_keys(entry.value.entries, _KEYS, "an action", faults)
        keys = keyed(entry.value)
        if "steps" not in keys:
            faults.add("E205", f"action {name!r} has no steps", at=entry.key.at, hint="add 'steps:'")
        reading = self.reading(source, faults)
        return Action(
            name=name,
            at=entry.key.at,
            help=text(keys["help"].value, "help", faults) if "help" in keys else "",
            params=read_action_params(keys["params"].value, f"action {name!r}", faults)
            if "params" in keys
            else {},
            steps=read_steps(keys["steps"].value, f"actions.{name}.steps", reading)
            if "steps" in keys
            else (),
            returns=_returns(keys["returns"].value, faults) if "returns" in keys else {},
        )


def _returns(node: Node, faults: Faults) -> Mapping[str, Node]:
    if not isinstance(node, MapNode):
        wrong(node, "returns", "a mapping of names to values", faults)
        return {}
    for entry in node.entries:
        check_identifier(entry.key, "result", faults)
    return {entry.key.text: entry.value for entry in node.entries}
