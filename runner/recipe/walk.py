"""Goes through steps in the order of the run and checks every name that they use."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from runner.document import MapNode, Node, Scalar
from runner.errors import Faults, Location
from runner.model import UNBOUND, Block, Bound, Call, Expression, Parallel, Step, Stop, Use
from runner.recipe.lookup import Lookup
from runner.recipe.names import Known, Names
from runner.recipe.shapes import ListOf, common, item, of_node

ShapeOfCall = Callable[[Call, Step], Any]
_REGISTERS = ("register", "value of 'set'")


class Walk:
    """One walk through the steps of a test, a play's setup, or an action.

    `home` is where registers go. `shape_of_call` says what an action returns.
    """

    def __init__(self, lookup: Lookup, faults: Faults, home: Names, shape_of_call: ShapeOfCall) -> None:
        """Begin with no step seen."""
        self._lookup = lookup
        self._faults = faults
        self._home = home
        self._shape_of_call = shape_of_call
        self._pending: dict[str, list[tuple[str, Known]]] = {}
        self._background = ""

    def steps(self, steps: Iterable[Step], names: Names) -> None:
        """Check steps that run one after the other; `names` ends in `home`."""
        for step in steps:
            self._step(step, names)

    def _step(self, step: Step, names: Names) -> None:
        outside, self._background = self._background, step.background or self._background
        inner = self._with_variables(step, names)
        inner = self._with_loop(step, inner)
        lookup = self._lookup
        lookup.expression(step.when, inner)
        for node in (step.named, step.timeout, step.idle_timeout):
            if node is not None:
                lookup.node(node, inner)
        if step.bench is not None:
            lookup.node(step.bench, names)
        shape = self._what(step, inner)
        self._judged(step, inner, shape)
        if step.register:
            self._register(step, names, shape)
        self._background = outside

    def _with_variables(self, step: Step, names: Names) -> Names:
        if not step.variables:
            return names
        return names.inner({name: variable(node) for name, node in step.variables.items()})

    def _with_loop(self, step: Step, names: Names) -> Names:
        loop = step.loop
        if loop is None:
            return names
        self._lookup.node(loop.over, names)
        over = (
            of_node(loop.over) if not isinstance(loop.over, Scalar) else self._lookup.shape(loop.over, names)
        )
        inner = names.inner({loop.variable: Known(kind="loop variable", shape=item(over), at=loop.over.at)})
        if loop.label is not None:
            self._lookup.node(loop.label, inner)
        return inner

    def _what(self, step: Step, names: Names) -> Any:
        """Check what a step does; return the shape of its result, None when it gives none."""
        match step.what:
            case Use() as use:
                self._arguments(use.arguments, names)
                for node in use.devices.values():
                    self._lookup.node(node, names)
                self._define(use, names)
                return use.verb.result
            case Call() as call:
                self._arguments(call.arguments, names)
                return self._shape_of_call(call, step)
            case Block() as block:
                for steps in (block.steps, block.rescue, block.always):
                    self.steps(steps, names)
            case Parallel() as parallel:
                self._side_by_side(parallel, names)
            case Stop() as stop:
                self._joined(stop)
        return Any

    def _arguments(self, arguments: Mapping[str, Bound], names: Names) -> None:
        for bound in arguments.values():
            if bound.value is UNBOUND:
                self._lookup.node(bound.node, names)
            elif isinstance(bound.value, Expression):
                self._lookup.expression(bound.value, names)
            elif isinstance(bound.value, (list, tuple)) and any(
                isinstance(each, Expression) for each in bound.value
            ):
                self._lookup.expressions(
                    (each for each in bound.value if isinstance(each, Expression)), names
                )

    def _judged(self, step: Step, names: Names, shape: Any) -> None:
        if not (step.expect or step.measure or step.failed_when or step.until):
            return
        known = {"result": _known_result(step, shape)}
        if step.register:
            known[step.register] = Known(kind="register", shape=shape, at=step.at, source=_source(step))
        inner = names.inner(known)
        lookup = self._lookup
        if step.until is not None:
            lookup.expression(step.until.condition, inner)
        lookup.expressions(step.failed_when, inner)
        lookup.expressions(step.expect, inner)
        for each in step.measure:
            lookup.expressions((each.value, each.minimum, each.maximum, each.warn, each.equals), inner)

    # --- names that steps make -------------------------------------------------------------------

    def _register(self, step: Step, names: Names, shape: Any) -> None:
        if shape is None:
            self._faults.add(
                "E308",
                f"{_source(step)} gives no result to register as {step.register!r}",
                at=step.at,
                hint="leave out 'register'",
            )
            shape = Any
        shape = ListOf(shape) if step.loop is not None else shape
        known = Known(kind="register", shape=shape, at=step.at, source=_source(step))
        self._make(step.register, known, step.at, names)

    def _define(self, use: Use, names: Names) -> None:
        rest = use.arguments.get(use.verb.defines) if use.verb.defines else None
        if rest is None or not isinstance(rest.node, MapNode):
            return
        for entry in rest.node.entries:
            before = names.find(entry.key.text)
            known = Known(kind="value of 'set'", shape=of_node(entry.value), at=entry.key.at)
            if before is not None and before.kind == known.kind:
                self._keep(entry.key.text, Known(kind=known.kind, at=before.at))
            else:
                self._make(entry.key.text, known, entry.key.at, names)

    def _make(self, name: str, known: Known, at: Location, names: Names) -> None:
        before = names.find(name)
        if before is not None and before.kind in _REGISTERS:
            self._faults.add(
                "E320",
                f"two steps give {name!r} a value",
                at=at,
                hint=f"the first one stands at {before.at}; choose another name",
            )
        elif before is not None:
            where = f" ({before.at})" if before.at is not None else ""
            self._faults.add(
                "E307",
                f"{name!r} is a {before.kind} already{where}",
                at=at,
                hint="a register may not hide it: choose another name",
            )
        self._keep(name, known)

    def _keep(self, name: str, known: Known) -> None:
        self._home.add(name, known)
        if self._background:
            self._pending.setdefault(self._background, []).append((name, known))
            self._home.add(name, _not_joined(known, self._background))

    def _joined(self, stop: Stop) -> None:
        for name, known in self._pending.pop(stop.background, []):
            self._home.add(name, known)

    def _side_by_side(self, parallel: Parallel, names: Names) -> None:
        made: dict[str, Known] = {}
        for step in parallel.steps:
            before = dict(self._home.own)
            self._step(step, names)
            for name, known in dict(self._home.own).items():
                if before.get(name) is not known:
                    made[name] = known
                    self._home.add(name, _at_the_same_time(known))
        for name, known in made.items():
            self._home.add(name, known)


def variable(*nodes: Node, kind: str = "variable", absent_on: tuple[str, ...] = ()) -> Known:
    """Describe a variable by its definitions."""
    templated = tuple(node for node in nodes if node.templated)
    shape = common(of_node(node) for node in nodes)
    return Known(kind=kind, shape=shape, at=nodes[0].at, nodes=templated, absent_on=absent_on)


def _known_result(step: Step, shape: Any) -> Known:
    if shape is None:
        reason = f"has no value here: {_source(step)} gives no result"
        return Known(kind="result", unusable=("E308", reason, "leave this line out"))
    return Known(kind="result", shape=shape, source=_source(step))


def _source(step: Step) -> str:
    match step.what:
        case Use(verb=verb):
            return verb.name
        case Call(action=action):
            return action.name
    return step.title or "the step"


def _not_joined(known: Known, background: str) -> Known:
    reason = f"has no value yet: background step {background!r} may still run"
    return _unusable(known, reason, f"add 'join: {background}' before this step")


def _at_the_same_time(known: Known) -> Known:
    reason = "has no value here: a step that runs at the same time gives it"
    return _unusable(known, reason, "use it after the 'parallel'")


def _unusable(known: Known, reason: str, hint: str) -> Known:
    return dataclasses.replace(known, unusable=("E306", reason, hint))
