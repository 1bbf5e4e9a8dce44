"""Tests of a play, in the long form (``tests``) and in the short one (``steps``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from runner.document import Entry, MapNode, Node, Scalar
from runner.errors import Faults, Location, did_you_mean
from runner.model import Expression, Skip, Step, Test, Xfail
from runner.recipe import words
from runner.recipe.expressions import condition
from runner.recipe.fields import (
    count,
    duration,
    flag,
    free,
    inside,
    is_nothing,
    keyed,
    listed,
    sequence,
    text,
    unknown_keys,
    variables,
    wrong,
)
from runner.recipe.matrix import read_matrix
from runner.recipe.modifiers import retry_on, tags
from runner.recipe.reading import Reading
from runner.recipe.steps import read_steps

KEYS = (
    "test",
    "id",
    "description",
    "steps",
    "setup",
    "teardown",
    "when",
    "skip",
    "xfail",
    "requires",
    "matrix",
    "tags",
    "meta",
    "vars",
    "timeout",
    "retries",
)
_NO_REASON = {"xfail": "expected to fail", "skip": "skipped by the recipe"}
_RETRY_ON: tuple[Literal["failed", "error"], ...] = ("failed", "error")

Read = Callable[[Node, Faults], Any]


def read_tests(node: Node, prefix: str, reading: Reading) -> tuple[Test, ...]:
    """Read the long form."""
    tests: list[Test] = []
    taken: dict[str, Location] = {}
    for index, item in enumerate(sequence(node, "tests", reading.faults)):
        test = _test(item, f"{prefix}tests[{index}]", tests, reading)
        if test is not None:
            _refuse_twice(test, item, taken, reading.faults)
            tests.append(test)
    return tuple(tests)


def as_tests(node: Node, prefix: str, reading: Reading) -> tuple[Test, ...]:
    """Read the short form: every step on the top level becomes a test."""
    taken: dict[str, int] = {}
    return tuple(_chained(step, taken) for step in read_steps(node, f"{prefix}steps", reading))


def _chained(step: Step, taken: dict[str, int]) -> Test:
    name = (step.name if step.named is None else "") or step.title or "step"
    taken[name] = number = taken.get(name, 0) + 1
    name = name if number == 1 else f"{name} ({number})"
    return Test(name=name, at=step.at, steps=(step,), tags=step.tags)


def _test(node: Node, prefix: str, earlier: Sequence[Test], reading: Reading) -> Test | None:
    faults = reading.faults
    if not isinstance(node, MapNode):
        hint = f"write '- test: {node.text}'" if isinstance(node, Scalar) and not is_nothing(node) else ""
        wrong(node, "a test", "a mapping", faults, hint=hint)
        return None
    entries = keyed(node)
    _refuse_keys(node, entries, reading)
    found = {
        name: read(entries[key].value, faults) for key, (name, read) in _FIELDS.items() if key in entries
    }
    for key in ("setup", "steps", "teardown"):
        if key in entries:
            found[key] = read_steps(entries[key].value, f"{prefix}.{key}", reading)
    if "requires" in entries:
        found["requires"] = _requires(entries["requires"].value, earlier, reading)
    if "retries" in entries:
        found.update(read_retries(entries["retries"].value, faults))
    named = entries.get("test")
    name = text(named.value, "test", faults) if named is not None else ""
    at = named.key.at if named is not None else node.at
    return Test(name=name, at=at, **{key: value for key, value in found.items() if value is not None})


def _refuse_keys(node: MapNode, entries: Mapping[str, Entry], reading: Reading) -> None:
    foreign = {key: hint for key, hint in words.TEST.items() if key not in KEYS}
    strange = [entry for entry in node.entries if entry.key.text not in KEYS]
    for entry in strange:
        name = entry.key.text
        if reading.verbs.find(name, reading.faults) is not None or name in reading.actions():
            reading.faults.add(
                "E202",
                f"a test has no key {name!r}: it is a module",
                at=entry.key.at,
                hint=f"put it below 'steps:' as '- {name}:'",
            )
        else:
            unknown_keys([entry], KEYS, "a test", reading.faults, foreign=foreign)
    if "test" not in entries and "name" not in entries:
        reading.faults.add("E205", "the test has no name", at=node.at, hint="add 'test: NAME'")
    if "steps" not in entries and not strange:
        reading.faults.add("E205", "the test has no steps", at=node.at, hint="add 'steps:'")


def _refuse_twice(test: Test, node: Node, taken: dict[str, Location], faults: Faults) -> None:
    for key, word in (("test", test.name), ("id", test.id)):
        value = node.get(key) if isinstance(node, MapNode) else None
        if not word or value is None:
            continue
        at = inside(value) if isinstance(value, Scalar) else value.at
        first = taken.setdefault(word, at)
        if first is not at:
            faults.add(
                "E209",
                f"two tests of one play are called {word!r}",
                at=at,
                hint=f"the first one stands at {first}",
            )


def _requires(node: Node, earlier: Sequence[Test], reading: Reading) -> tuple[str, ...]:
    names = {test.name for test in earlier}
    found: list[str] = []
    for item in listed(node):
        name = text(item, "requires", reading.faults)
        if name and name not in names:
            _unknown_test(name, item, names, reading.faults)
        elif name:
            found.append(name)
    return tuple(found)


def _unknown_test(name: str, node: Node, names: set[str], faults: Faults) -> None:
    near = did_you_mean(name, names)
    faults.add(
        "E221",
        f"no earlier test is called {name!r}",
        at=inside(node) if isinstance(node, Scalar) else node.at,
        hint=near or ("a test requires tests that stand above it" if names else "this is the first test"),
    )


def read_retries(node: Node, faults: Faults) -> dict[str, Any]:
    """Read ``retries: n`` or ``retries: {max: n, on: [failed, error]}`` of a test."""
    if not isinstance(node, MapNode):
        return {"retries": count(node, "retries", faults)}
    unknown_keys(node.entries, ("max", "on"), "retries", faults)
    most, on = node.get("max"), node.get("on")
    if most is None:
        faults.add("E205", "retries has no 'max'", at=node.at, hint="write retries: {max: 2, on: [error]}")
    return {
        "retries": count(most, "max", faults) if most is not None else None,
        "retry_on": retry_on(on, _RETRY_ON, faults) if on is not None else None,
    }


def read_skip(node: Node, faults: Faults) -> Skip | None:
    """Read ``skip: true | REASON | {when, reason}``."""
    if isinstance(node, MapNode):
        unknown_keys(node.entries, ("when", "reason"), "skip", faults)
        return Skip(reason=_reason(node, "skip", faults), when=_when(node, faults))
    reason = _true_or_reason(node, "skip", faults)
    return None if reason is None else Skip(reason=reason)


def read_xfail(node: Node, faults: Faults) -> Xfail | None:
    """Read ``xfail: true | REASON | {when, reason, strict}``."""
    if isinstance(node, MapNode):
        unknown_keys(node.entries, ("when", "reason", "strict"), "xfail", faults)
        strict = node.get("strict")
        return Xfail(
            reason=_reason(node, "xfail", faults),
            when=_when(node, faults),
            strict=flag(strict, "strict", faults) if strict is not None else True,
        )
    reason = _true_or_reason(node, "xfail", faults)
    return None if reason is None else Xfail(reason=reason)


def _when(node: MapNode, faults: Faults) -> Expression | None:
    when = node.get("when")
    return condition(when, "when", faults) if when is not None else None


def _reason(node: MapNode, what: str, faults: Faults) -> str:
    reason = node.get("reason")
    return _NO_REASON[what] if reason is None else text(reason, "reason", faults)


def _true_or_reason(node: Node, what: str, faults: Faults) -> str | None:
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return _NO_REASON[what] if node.value else None
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return text(node, what, faults)
    wrong(node, what, "true, a reason, or a mapping", faults)
    return None


_FIELDS: Mapping[str, tuple[str, Read]] = {
    "id": ("id", lambda node, faults: text(node, "id", faults)),
    "description": ("description", lambda node, faults: text(node, "description", faults)),
    "when": ("when", lambda node, faults: condition(node, "when", faults)),
    "skip": ("skip", read_skip),
    "xfail": ("xfail", read_xfail),
    "matrix": ("matrix", read_matrix),
    "tags": ("tags", tags),
    "meta": ("meta", lambda node, faults: free(node, "meta", faults)),
    "vars": ("variables", lambda node, faults: variables(node, "vars", faults)),
    "timeout": ("timeout", lambda node, faults: duration(node, "timeout", faults)),
}
