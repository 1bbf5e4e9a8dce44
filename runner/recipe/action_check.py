"""Checks actions: they see their params and the built-ins only."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

from runner.document import Node, Scalar
from runner.errors import Faults
from runner.model import Action, Call, Step
from runner.recipe.fields import inside
from runner.recipe.later import all_steps, registers_of
from runner.recipe.lookup import Lookup
from runner.recipe.names import Known, Names
from runner.recipe.play_names import of_hint
from runner.recipe.reading import Chain, ChainedFaults
from runner.recipe.shapes import Record, of_node
from runner.recipe.walk import Walk
from runner.template import Templates

_CHAIN_OF_NAMES = re.compile(r"([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*)*)")


class ActionChecks:
    """Checks each action once, and knows what it returns."""

    def __init__(
        self,
        actions: Mapping[str, Action],
        built_in: Mapping[str, Known],
        templates: Templates,
        faults: Faults,
    ) -> None:
        """Note what is wrong in `faults`, with the first call that led there."""
        self._actions = actions
        self._built_in = built_in
        self._templates = templates
        self._faults = faults
        self._shapes: dict[str, Any] = {}
        self._chain: Chain = ()

    def shape_of(self, call: Call, step: Step) -> Any:
        """Return the shape of what an action returns, None when it returns nothing."""
        before = self._chain
        self._chain = (*before, (f"action {call.action.name!r} is called", step.at))
        shape = self._of(call.action)
        self._chain = before
        return shape

    def check_all(self) -> None:
        """Check those that nobody calls, too."""
        for action in self._actions.values():
            self._of(action)

    def _of(self, action: Action) -> Any:
        if action.name not in self._shapes:
            self._shapes[action.name] = Any
            self._shapes[action.name] = self._checked(action)
        return self._shapes[action.name]

    def _checked(self, action: Action) -> Any:
        faults = ChainedFaults(self._faults, self._chain)
        lookup = Lookup(self._templates, faults)
        lookup.elsewhere = functools.cache(lambda: _later(action))
        params = {
            name: Known(kind="param", shape=of_hint(each), at=action.at)
            for name, each in action.params.items()
        }
        home = Names(None, self._built_in).inner(params).inner()
        lookup.seen_only = (
            f"an action sees its params and the built-ins only: pass it in, 'params' of {action.name!r}"
        )
        Walk(lookup, faults, home, self.shape_of).steps(action.steps, home)
        unused = (node for step in all_steps(action.steps) for node in step.variables.values())
        lookup.unused(unused, {*home, "result", *registers_of(action.steps)})
        for name, node in action.returns.items():
            lookup.node(node, home)
            _refuse_bare(name, node, home, faults)
        if not action.returns:
            return None
        return Record({name: _shape(node, home, lookup) for name, node in action.returns.items()})


def _later(action: Action) -> dict[str, str]:
    made = registers_of(action.steps)
    return {name: f"it is made by a later step, at {at}" for name, at in made.items()}


def _shape(node: Node, names: Names, lookup: Lookup) -> Any:
    return lookup.shape(node, names) if node.templated else of_node(node)


def _refuse_bare(name: str, node: Node, names: Names, faults: Faults) -> None:
    """Refuse a register's name written without braces: it would return that text."""
    if not isinstance(node, Scalar) or node.templated or node.quoted or not isinstance(node.value, str):
        return
    match = _CHAIN_OF_NAMES.fullmatch(node.value)
    known = names.find(match[1]) if match is not None else None
    if known is not None:
        faults.add(
            "E303",
            f"{name!r} returns the text {node.value!r}, not its value",
            at=inside(node),
            hint=f'write {name}: "{{{{ {node.value} }}}}"',
        )
