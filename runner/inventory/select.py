"""Patterns that select benches: names, globs, groups and labels, joined by ``,`` ``&`` ``!``.

pattern := term ((`,` | `&` | `&!` | `!`) term)*      read from left to right
term    := [`!`] (`all` | name | glob | group | label=value | label!=value | label in (a,b) | label)
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable

from runner.errors import Fault, InputError, Location, did_you_mean
from runner.model import Bench, Inventory

_WORD = re.compile(
    r"\s*(?:(?P<operator>[,&!])|(?P<term>[^,&!()]+?\s+in\s*\([^)]*\)|[^,&!\s][^,&!]*(?:!=[^,&!]*)?)\s*(?=[,&!]|$))"
)
_IN = re.compile(r"([\w.-]+)\s+(not\s+)?in\s*\(([^)]*)\)")
_EQUALS = re.compile(r"([\w.-]+)\s*(!=|==|=)\s*([^=!<>]*)")

Test = Callable[[Bench], bool]


def select(pattern: str, inventory: Inventory, at: Location | None) -> tuple[Bench, ...]:
    """Return the benches that a pattern means, in the inventory's order; raise InputError for unknown names."""
    chosen: set[str] = set()
    operator, negated, first = ",", False, True
    for word in _words(pattern, at):
        if word in {",", "&"}:
            operator, first = word, False
            continue
        if word == "!":
            negated = not negated
            continue
        found = {bench.name for bench in inventory.benches.values() if _test(word, inventory, at)(bench)}
        everything = set(inventory.benches)
        if negated:
            found = everything - found
            operator = "&" if not first and operator == "," and chosen else operator
        chosen = chosen & found if operator == "&" else chosen | found
        negated, first, operator = False, False, ","
    return tuple(bench for bench in inventory.benches.values() if bench.name in chosen)


def _words(pattern: str, at: Location | None) -> list[str]:
    words: list[str] = []
    position = 0
    text = pattern.strip()
    while position < len(text):
        match = _WORD.match(text, position)
        if match is None:
            raise _fault(
                "E422",
                f"{pattern!r} is not a pattern of benches",
                at,
                "names, globs, groups, label=value; joined by , & !",
            )
        words.append((match["operator"] or match["term"]).strip())
        position = match.end()
    if not words or words[-1] in {",", "&", "!"}:
        raise _fault("E422", f"{pattern!r} is not a pattern of benches: a name is missing", at, "")
    return words


def _test(term: str, inventory: Inventory, at: Location | None) -> Test:
    among = _IN.fullmatch(term)
    if among is not None:
        values = {value.strip() for value in among[3].split(",") if value.strip()}
        _known_label(among[1], inventory, at)
        return lambda bench: (bench.labels.get(among[1]) in values) != bool(among[2])
    equals = _EQUALS.fullmatch(term)
    if equals is not None:
        _known_label(equals[1], inventory, at)
        return lambda bench: (bench.labels.get(equals[1]) == equals[3].strip()) == (equals[2] != "!=")
    if re.search(r"[=<>~()]", term):
        raise _fault("E422", f"{term!r} is not understood", at, "labels are asked by =, != and in (…)")
    return _named(term, inventory, at)


def _named(term: str, inventory: Inventory, at: Location | None) -> Test:
    if term in {"all", "*"}:
        return lambda _bench: True
    if term in inventory.benches:
        return lambda bench: bench.name == term
    if term in inventory.groups:
        members = set(inventory.groups[term])
        return lambda bench: bench.name in members
    if any(each in term for each in "*?["):
        names = {name for name in inventory.benches if fnmatch.fnmatchcase(name, term)}
        if not names:
            raise _fault("E423", f"no bench is called like {term!r}", at, "")
        return lambda bench: bench.name in names
    labels = {label for bench in inventory.benches.values() for label in bench.labels}
    if term in labels:
        return lambda bench: term in bench.labels
    known = (*inventory.benches, *inventory.groups, *labels, "all")
    hint = did_you_mean(term, known) or f"benches: {', '.join(list(inventory.benches)[:8])}"
    raise _fault("E423", f"no bench, group or label {term!r}", at, hint)


def _known_label(label: str, inventory: Inventory, at: Location | None) -> None:
    labels = {each for bench in inventory.benches.values() for each in bench.labels}
    if label not in labels:
        raise _fault("E424", f"no bench has a label {label!r}", at, did_you_mean(label, labels))


def _fault(code: str, message: str, at: Location | None, hint: str) -> InputError:
    return InputError([Fault(code=code, message=message, at=at, hint=hint)])
