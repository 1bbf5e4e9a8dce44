"""Selects benches by a pattern: names, globs, ranges, groups, labels."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

from runner.errors import Fault, Faults, InputError, Location, did_you_mean
from runner.inventory.pattern import PatternError, Term, parse
from runner.inventory.ranges import expand, is_range
from runner.model import Bench, Inventory

ALL = "all"


def select(pattern: str, inventory: Inventory, at: Location | None) -> tuple[Bench, ...]:
    """Return the benches that a pattern means, in the order of the inventory; none is no error.

    `at` is where the text of the pattern begins. Raises InputError for unknown names and operators.
    """
    try:
        alternatives = parse(pattern)
    except PatternError as error:
        place = _place(at, error.offset, error.length)
        message = f"pattern {pattern!r}: {error.message}"
        raise InputError([Fault(code="E422", message=message, at=place, hint=error.hint)]) from error
    faults = Faults()
    sets = [[_benches(term, inventory, at, faults) for term in terms] for terms in alternatives]
    faults.raise_if_any()
    meant = {name for terms in sets for name in set.intersection(*terms)}
    return tuple(bench for name, bench in inventory.benches.items() if name in meant)


def _benches(term: Term, inventory: Inventory, at: Location | None, faults: Faults) -> set[str]:
    found = _labelled(term, inventory) if term.values is not None else _named(term, inventory)
    if found is None:
        faults.add(
            "E423",
            _unknown(term),
            at=_place(at, term.offset, len(term.word)),
            hint=_near(term, inventory),
        )
        return set()
    return set(inventory.benches) - found if term.negated else found


def _labelled(term: Term, inventory: Inventory) -> set[str] | None:
    if term.word not in _labels(inventory):
        return None
    benches = inventory.benches.values()
    return {bench.name for bench in benches if bench.labels.get(term.word) in (term.values or ())}


def _named(term: Term, inventory: Inventory) -> set[str] | None:
    word = term.word
    if word == ALL or word in inventory.benches:
        return set(inventory.benches) if word == ALL else {word}
    if word in inventory.groups:
        return set(inventory.groups[word])
    if is_range(word):
        return _ranged(word, inventory)
    if any(sign in word for sign in "*?["):
        return set(fnmatch.filter(inventory.benches, word)) or None
    return {bench.name for bench in inventory.benches.values() if word in bench.labels} or None


def _ranged(word: str, inventory: Inventory) -> set[str] | None:
    try:
        names = {name.text for name in expand(word)}
    except ValueError:
        return None
    return names if names <= set(inventory.benches) else None


def _unknown(term: Term) -> str:
    if term.values is not None:
        return f"no bench has a label {term.word!r}"
    if is_range(term.word):
        return f"not all of {term.word!r} are benches of the inventory"
    if any(sign in term.word for sign in "*?["):
        return f"no bench is called {term.word!r}"
    return f"no bench, group or label {term.word!r}"


def _near(term: Term, inventory: Inventory) -> str:
    labels = _labels(inventory)
    known: Iterable[str] = (
        labels if term.values is not None else (*inventory.benches, *inventory.groups, *labels)
    )
    names = list(known)
    near = did_you_mean(term.word, names)
    if near or not names:
        return near
    shown = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
    return f"known: {shown}"


def _labels(inventory: Inventory) -> dict[str, None]:
    return dict.fromkeys(label for bench in inventory.benches.values() for label in bench.labels)


def _place(at: Location | None, offset: int, length: int) -> Location | None:
    if at is None:
        return None
    return Location(at.path, at.line, at.column + offset, max(1, length))
