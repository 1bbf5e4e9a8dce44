"""The names that a play begins with: built-ins, params, variables of the play and its benches."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from runner.declaration import Parameter
from runner.document import ListNode, MapNode, Node
from runner.model import Bench, Param, Play
from runner.recipe.names import FUNCTIONS, Known, Names
from runner.recipe.shapes import Record
from runner.recipe.walk import variable


def play_names(
    play: Play, benches: Sequence[Bench], extra: Mapping[str, object], *, trusted: bool = True
) -> Names:
    """Return the scope of a play on these benches; one that is not trusted gets no secrets of theirs."""
    names = Names(None, built_in_names(benches))
    params = {name: _param(param) for name, param in play.params.items()}
    shared = _of_benches(benches, params)
    if not trusted:
        shared.update({name: _secret(shared[name]) for name in _secrets(benches)})
    own: dict[str, list[Node]] = {}
    for definition in play.variables:
        own[definition.name] = [definition.node]
    variables = {name: variable(*nodes) for name, nodes in own.items()}
    known = {**params, **shared, **variables}
    for name in extra:
        given = known.get(name)
        known[name] = Known(kind="variable") if given is None else _given(given, params.get(name))
    return names.inner(known)


def bench_names(benches: Sequence[Bench]) -> Names:
    """Return the scope of steps that stand in the inventory."""
    return Names(None, built_in_names(benches)).inner(_of_benches(benches, {}))


def built_in_names(benches: Sequence[Bench]) -> dict[str, Known]:
    """Return the names that every place has."""
    return {
        **{name: Known(kind="function") for name in FUNCTIONS},
        "bench": Known(kind="built-in", shape=_bench(benches), absent_fields=_absent_labels(benches)),
        "benches": Known(kind="built-in"),
        "run": Known(kind="built-in", shape=Record({"id": str, "dir": str, "started": Any})),
        "artifacts": Known(kind="built-in", shape=str),
    }


def _bench(benches: Sequence[Bench]) -> Record:
    labels = {name: str for bench in benches for name in bench.labels}
    return Record(
        {
            "name": str,
            "index": int,
            "host": Any,
            "labels": Record(labels) if benches else Any,
            "devices": Any,
        }
    )


def _absent_labels(benches: Sequence[Bench]) -> dict[str, tuple[str, ...]]:
    names = {name for bench in benches for name in bench.labels}
    absent = {name: tuple(bench.name for bench in benches if name not in bench.labels) for name in names}
    return {f"bench.labels.{name}": without for name, without in absent.items() if without}


def _param(param: Param) -> Known:
    nodes = (param.default,) if param.default is not None and param.default.templated else ()
    return Known(kind="param", shape=of_hint(param.parameter), at=param.at, nodes=nodes)


def of_hint(parameter: Parameter) -> Any:
    """Return the shape of a param's value."""
    hint: Any = parameter.hint
    nothing = not parameter.required and parameter.default is None
    open_mapping = typing.get_origin(hint) is dict and typing.get_args(hint)[1] is Any
    return Any if nothing or open_mapping else hint


def _given(known: Known, param: Known | None) -> Known:
    """Describe a name that ``-e`` gives a value: all benches have it, no template is asked."""
    shape = param.shape if param is not None else Any
    return Known(kind=known.kind, shape=shape, at=known.at)


def _of_benches(benches: Sequence[Bench], params: Mapping[str, Known]) -> dict[str, Known]:
    found: dict[str, dict[str, Node]] = {}
    for bench in benches:
        for definition in bench.variables:
            found.setdefault(definition.name, {})[bench.name] = definition.node
    return {
        name: variable(
            *_distinct(nodes.values()),
            absent_on=()
            if name in params
            else tuple(bench.name for bench in benches if bench.name not in nodes),
        )
        for name, nodes in found.items()
    }


def _secrets(benches: Sequence[Bench]) -> set[str]:
    return {each.name for bench in benches for each in bench.variables if holds_secret(each.node)}


def holds_secret(node: Node) -> bool:
    """Tell whether a value is a secret, or has one inside."""
    match node:
        case MapNode():
            return any(holds_secret(entry.value) for entry in node.entries)
        case ListNode():
            return any(holds_secret(item) for item in node.items)
        case _:
            return node.secret


def _secret(known: Known) -> Known:
    reason = "is a secret of the inventory, and the recipe is not trusted"
    return dataclasses.replace(known, unusable=("E605", reason, "give the recipe a value of its own with -e"))


def _distinct(nodes: Any) -> list[Node]:
    return list({id(node): node for node in nodes}.values())
