"""``matrix:``: one test, many cases."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from runner.document import Entry, ListNode, MapNode, Node, Scalar, plain
from runner.errors import Faults, did_you_mean
from runner.recipe.fields import mapping, shown, wrong
from runner.recipe.identifiers import check_identifier

LIMIT = 10_000
"""More rows than this are a mistake."""

Row = Mapping[str, Any]


def read_matrix(node: Node, faults: Faults) -> tuple[Row, ...]:
    """Return the rows: every combination, those in ``exclude`` taken out."""
    read = mapping(node, "matrix", faults)
    if read is None:
        return ({},)
    if read.templated:
        _refuse_templates(read, faults)
        return ({},)
    axes = [entry for entry in read.entries if entry.key.text != "exclude"]
    values = [_values(entry, faults) for entry in axes]
    names = [entry.key.text for entry in axes]
    for entry in axes:
        if entry.key.text != "include":
            check_identifier(entry.key, "matrix variable", faults)
    rows = _rows(read, names, values, faults)
    excluded = read.get("exclude")
    if excluded is None:
        return rows
    return _without(rows, _excludes(excluded, names, values, faults), excluded, faults)


def _rows(
    read: MapNode, names: Sequence[str], values: Sequence[list[Any]], faults: Faults
) -> tuple[Row, ...]:
    number = 1
    for each in values:
        number *= len(each)
    if not names:
        faults.add("E222", "the matrix has no variable", at=read.at, hint="write name: [value, value]")
        return ({},)
    if number > LIMIT:
        faults.add("E222", f"the matrix has {number} rows, more than {LIMIT}", at=read.at)
        return ({},)
    return tuple(dict(zip(names, row, strict=True)) for row in itertools.product(*values))


def _values(entry: Entry, faults: Faults) -> list[Any]:
    name = entry.key.text
    if name == "include":
        faults.add(
            "E222", "a matrix has no 'include'", at=entry.key.at, hint="write a second test, or more values"
        )
        return [None]
    if not isinstance(entry.value, ListNode):
        wrong(
            entry.value, f"matrix variable {name!r}", "a list", faults, hint=f"write {name}: [value, value]"
        )
        return [None]
    if not entry.value.items:
        faults.add("E222", f"matrix variable {name!r} has no values", at=entry.value.at)
        return [None]
    values: list[Any] = []
    for item in entry.value.items:
        value = plain(item)
        if any(_same(value, other) for other in values):
            faults.add("E222", f"{shown(item)} stands twice in {name!r}", at=item.at)
        values.append(value)
    return values


def _excludes(
    node: Node, names: Sequence[str], values: Sequence[list[Any]], faults: Faults
) -> list[tuple[Node, Row]]:
    if not isinstance(node, ListNode):
        wrong(node, "exclude", "a list of mappings", faults)
        return []
    found: list[tuple[Node, Row]] = []
    known = dict(zip(names, values, strict=True))
    for item in node.items:
        read = mapping(item, "a row of exclude", faults)
        wrong_entries = [entry for entry in read.entries if not _fits(entry, known, faults)] if read else []
        if read is not None and not wrong_entries:
            found.append((item, {entry.key.text: plain(entry.value) for entry in read.entries}))
    return found


def _fits(entry: Entry, known: Mapping[str, list[Any]], faults: Faults) -> bool:
    name = entry.key.text
    if name not in known:
        faults.add(
            "E222", f"the matrix has no variable {name!r}", at=entry.key.at, hint=did_you_mean(name, known)
        )
        return False
    value = plain(entry.value)
    if not any(_same(value, each) for each in known[name]):
        faults.add(
            "E222",
            f"{name!r} never has the value {shown(entry.value)}",
            at=entry.value.at,
            hint=did_you_mean(str(value), map(str, known[name])) or f"its values: {_listing(known[name])}",
        )
        return False
    return True


def _without(
    rows: tuple[Row, ...], excludes: Sequence[tuple[Node, Row]], node: Node, faults: Faults
) -> tuple[Row, ...]:
    kept = rows
    for at, exclude in excludes:
        left = tuple(
            row for row in kept if not all(_same(row[name], value) for name, value in exclude.items())
        )
        if len(left) == len(kept):
            faults.add(
                "E222", "this row excludes nothing", at=at.at, hint="an earlier one has excluded it already"
            )
        kept = left
    if not kept:
        faults.add("E222", "every row of the matrix is excluded", at=node.at)
        return ({},)
    return kept


def _same(one: object, other: object) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _listing(values: Sequence[object]) -> str:
    return ", ".join(map(str, values[:8])) + (", …" if len(values) > 8 else "")


def _refuse_templates(node: Node, faults: Faults) -> None:
    match node:
        case MapNode():
            for entry in node.entries:
                _refuse_templates(entry.value, faults)
        case ListNode():
            for item in node.items:
                _refuse_templates(item, faults)
        case Scalar(templated=True):
            faults.add(
                "E229",
                "a matrix cannot hold a template",
                at=node.at,
                hint="the cases must be known before the run: write the values out",
            )
