"""Asks a class whether its arguments fit together, and says where one does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runner.api.misfit import Misfit
from runner.api.module import Declared
from runner.declaration import Parameter
from runner.document import ListNode, MapNode, Node, Scalar
from runner.errors import Faults, Location
from runner.model import UNBOUND, Bound


def known(parameters: Mapping[str, Parameter], bound: Mapping[str, Bound]) -> dict[str, Any]:
    """Return the values that are known before the run: those written out, and defaults."""
    defaults = {name: each.default for name, each in parameters.items() if not each.required}
    left = {name: value for name, value in defaults.items() if name not in bound}
    return left | {name: each.value for name, each in bound.items() if not _is_unknown(each)}


def _is_unknown(bound: Bound) -> bool:
    """Tell whether a value is a template, or was refused: that leaves None where something stands."""
    nothing = isinstance(bound.node, Scalar) and bound.node.value is None
    return bound.value is UNBOUND or (bound.value is None and not nothing)


def note_misfits(
    cls: type[Declared],
    parameters: Mapping[str, Parameter],
    bound: Mapping[str, Bound],
    faults: Faults,
    *,
    owner: str,
    at: Location,
) -> None:
    """Note what a class says of its arguments; `at`: where they stand."""
    note(cls.misfits(known(parameters, bound)), bound, faults, owner=owner, at=at)


def note(
    misfits: Iterable[Misfit], bound: Mapping[str, Bound], faults: Faults, *, owner: str, at: Location
) -> None:
    """Note misfits where the arguments are written; those of defaults at the whole."""
    for misfit in misfits:
        name, *inside = misfit.argument.split(".")
        place = within(bound[name].node, inside) if name in bound else at
        faults.add("E235", f"{owner}: {misfit.message}", at=place, hint=misfit.hint)


def within(node: Node, path: Iterable[str]) -> Location:
    """Return where a part of a value stands; the whole when there is no such part."""
    at = node.at
    for step in path:
        match node:
            case ListNode(items=items) if step.isdigit() and int(step) < len(items):
                node = items[int(step)]
            case MapNode():
                inner = next((each.value for each in node if each.key.text == step), None)
                if inner is None:
                    return at
                node = inner
            case _:
                return at
        at = node.at
    return at
