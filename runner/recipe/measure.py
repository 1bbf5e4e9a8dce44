"""``measure:``: named numbers with a unit and limits."""

from __future__ import annotations

from runner.api.values import Duration
from runner.document import MapNode, Node, Scalar
from runner.errors import Faults
from runner.model import Expression, Measure
from runner.recipe.expressions import expression
from runner.recipe.fields import mapping, text, unknown_keys, wrong

_KEYS = ("value", "unit", "min", "max", "warn", "equals")


def measures(node: Node, faults: Faults) -> tuple[Measure, ...]:
    """Read all of them."""
    read = mapping(node, "measure", faults)
    if read is None:
        return ()
    found = (_measure(entry.key.text, entry.value, faults) for entry in read.entries)
    return tuple(each for each in found if each is not None)


def _measure(name: str, node: Node, faults: Faults) -> Measure | None:
    if not isinstance(node, MapNode):
        given = node.text if isinstance(node, Scalar) else "…"
        wrong(node, f"measure {name!r}", "a mapping", faults, hint=f"write {name}: {{value: {given}}}")
        return None
    unknown_keys(node.entries, _KEYS, f"measure {name!r}", faults)
    value, unit = node.get("value"), node.get("unit")
    if value is None:
        faults.add("E205", f"measure {name!r} has no value", at=node.at, hint="add 'value: EXPRESSION'")
        return None
    number = expression(value, "value", faults)
    if number is None:
        return None
    return Measure(
        name=name,
        value=number,
        unit=text(unit, "unit", faults) if unit is not None else "",
        minimum=_limit(node, "min", faults),
        maximum=_limit(node, "max", faults),
        warn=_limit(node, "warn", faults),
        equals=_limit(node, "equals", faults),
    )


def _limit(node: MapNode, key: str, faults: Faults) -> Expression | None:
    given = node.get(key)
    if given is None:
        return None
    if isinstance(given, Scalar) and isinstance(given.value, str) and _is_duration(given.value):
        seconds = f"{float(Duration(given.value)):g}"
        wrong(given, key, "a number or an expression", faults, hint=f"write {key}: {seconds} with unit: s")
        return None
    return expression(given, key, faults)


def _is_duration(word: str) -> bool:
    try:
        Duration(word)
    except ValueError:
        return False
    return not word.replace(".", "").isdigit()
