"""The keys of a step beside its module: when, loop, register, expect, timeout and the like."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from runner.api.values import Duration
from runner.document import Entry, ListNode, MapNode, Node, Scalar
from runner.errors import Faults
from runner.model import ONE_SECOND, ExpectedError, Loop, Until
from runner.recipe.expressions import condition, conditions
from runner.recipe.fields import (
    choice,
    count,
    duration,
    flag,
    keyed,
    limit,
    listed,
    mapping,
    text,
    unknown_keys,
    variables,
    wrong,
)
from runner.recipe.identifiers import check_identifier
from runner.recipe.measure import measures
from runner.recipe.reading import Reading

MODIFIERS = (
    "name",
    "tags",
    "vars",
    "when",
    "loop",
    "loop_var",
    "label",
    "register",
    "expect",
    "measure",
    "until",
    "retries",
    "delay",
    "retry_on",
    "timeout",
    "idle_timeout",
    "failed_when",
    "expect_error",
    "ignore_errors",
    "background",
    "defer",
    "bench",
    "run_once",
    "no_log",
)
ERROR_CLASSES = (
    "unsupported",
    "bad_argument",
    "timeout",
    "unreachable",
    "device_error",
    "assertion",
    "internal",
)
_RETRY_ON = ("failed", "error", "timeout")

Read = Callable[[Node, Faults], Any]


def tags(node: Node, faults: Faults) -> tuple[str, ...]:
    """Read tags: a list, or one text with commas as in Ansible."""
    found = (text(item, "a tag", faults) for item in listed(node))
    return tuple(tag.strip() for words in found for tag in words.split(",") if tag.strip())


def _name(node: Node, faults: Faults) -> str:
    return node.text if isinstance(node, Scalar) and node.templated else text(node, "name", faults)


def _register(node: Node, faults: Faults) -> str:
    name = text(node, "register", faults)
    usable = isinstance(node, Scalar) and bool(name) and check_identifier(node, "register", faults)
    return name if usable else ""


def _background(node: Node, faults: Faults) -> str:
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        wrong(node, "background", "a name", faults, hint="later steps need it: join: NAME, stop: NAME")
        return ""
    return text(node, "background", faults)


def _expected_error(node: Node, faults: Faults) -> ExpectedError | None:
    read = mapping(node, "expect_error", faults)
    if read is None:
        return None
    unknown_keys(read.entries, ("class", "match"), "expect_error", faults)
    kind, match = read.get("class"), read.get("match")
    pattern = text(match, "match", faults) if match is not None else ""
    try:
        re.compile(pattern)
    except re.error as error:
        faults.add("E200", f"match is not a regular expression: {error}", at=match.at if match else node.at)
    return ExpectedError(
        kind=choice(kind, "class", ERROR_CLASSES, faults) if kind is not None else "", match=pattern
    )


def retry_on(node: Node, allowed: tuple[str, ...], faults: Faults) -> tuple[Any, ...]:
    """Read which outcomes are worth another try."""
    found = (choice(item, "retry_on", allowed, faults) for item in listed(node))
    return tuple(word for word in found if word)


def _bench(node: Node, faults: Faults) -> Node | None:
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return node
    wrong(node, "bench", "the name of a bench", faults)
    return None


_FIELDS: Mapping[str, tuple[str, Read]] = {
    "name": ("name", _name),
    "tags": ("tags", tags),
    "vars": ("variables", lambda node, faults: variables(node, "vars", faults)),
    "when": ("when", lambda node, faults: condition(node, "when", faults)),
    "register": ("register", _register),
    "expect": ("expect", lambda node, faults: conditions(node, "expect", faults)),
    "measure": ("measure", measures),
    "timeout": ("timeout", lambda node, faults: limit(node, "timeout", faults)),
    "idle_timeout": ("idle_timeout", lambda node, faults: limit(node, "idle_timeout", faults)),
    "failed_when": ("failed_when", lambda node, faults: conditions(node, "failed_when", faults)),
    "expect_error": ("expect_error", _expected_error),
    "ignore_errors": ("ignore_errors", lambda node, faults: flag(node, "ignore_errors", faults)),
    "background": ("background", _background),
    "defer": ("defer", lambda node, faults: flag(node, "defer", faults)),
    "bench": ("bench", _bench),
    "run_once": ("run_once", lambda node, faults: flag(node, "run_once", faults)),
    "no_log": ("no_log", lambda node, faults: flag(node, "no_log", faults)),
}


def read_modifiers(entries: Mapping[str, Entry], reading: Reading) -> dict[str, Any]:
    """Return the fields of a Step that its modifiers give."""
    faults = reading.faults
    found: dict[str, Any] = {}
    for key, entry in entries.items():
        if key in _FIELDS:
            name, read = _FIELDS[key]
            found[name] = read(entry.value, faults)
    if "name" in entries and entries["name"].value.templated:
        found["named"] = entries["name"].value
    if not entries.keys().isdisjoint(("loop", "loop_var", "label")):
        found["loop"] = _loop(entries, reading)
    if not entries.keys().isdisjoint(("until", "retries", "delay", "retry_on")):
        found.update(_repetition(entries, reading))
    return found


def _loop(entries: Mapping[str, Entry], reading: Reading) -> Loop | None:
    faults = reading.faults
    over = entries.get("loop")
    if over is None:
        for key in ("loop_var", "label"):
            if key in entries:
                faults.add("E223", f"{key!r} needs 'loop'", at=entries[key].key.at)
        return None
    variable = _loop_variable(entries, over, reading)
    if isinstance(over.value, Scalar) and not over.value.templated:
        number = isinstance(over.value.value, int) and not isinstance(over.value.value, bool)
        hint = (
            f'write loop: "{{{{ range({over.value.value}) }}}}"'
            if number
            else f'write loop: "{{{{ {over.value.text} }}}}" to take it from a variable'
        )
        wrong(over.value, "loop", "a list, a mapping or a template", faults, hint=hint)
        return None
    label = entries.get("label")
    if label is not None and not isinstance(label.value, Scalar):
        wrong(label.value, "label", "text", faults)
    return Loop(over=over.value, variable=variable, label=label.value if label else None)


def _loop_variable(entries: Mapping[str, Entry], over: Entry, reading: Reading) -> str:
    given = entries.get("loop_var")
    name = "item"
    if given is not None:
        name = text(given.value, "loop_var", reading.faults) or "item"
        if isinstance(given.value, Scalar):
            check_identifier(given.value, "loop variable", reading.faults)
    if name in reading.loops:
        reading.faults.add(
            "E227",
            f"the loop around this one has the variable {name!r}, too",
            at=given.value.at if given else over.key.at,
            hint="name it: add 'loop_var: NAME' to this loop",
        )
    return name


def _repetition(entries: Mapping[str, Entry], reading: Reading) -> dict[str, Any]:
    faults = reading.faults
    _refuse_lonely(entries, faults)
    found: dict[str, Any] = {}
    retries = count(entries["retries"].value, "retries", faults) if "retries" in entries else None
    pause = duration(entries["delay"].value, "delay", faults) if "delay" in entries else None
    if pause is not None:
        found["delay"] = pause
    if "retry_on" in entries:
        found["retry_on"] = retry_on(entries["retry_on"].value, _RETRY_ON, faults)
        found["retries"] = retries or 0
    if "until" in entries:
        found["until"] = _until(entries, retries, pause, reading)
    return found


def _refuse_lonely(entries: Mapping[str, Entry], faults: Faults) -> None:
    if "until" in entries and "retry_on" in entries:
        faults.add(
            "E299",
            "'until' together with 'retry_on' is not supported yet",
            at=entries["retry_on"].key.at,
            hint="put the step with 'until' into a block and 'retry_on' on the block",
        )
    if "until" not in entries and "retry_on" not in entries:
        for key in ("retries", "delay"):
            if key in entries:
                faults.add(
                    "E223",
                    f"{key!r} needs 'until' or 'retry_on'",
                    at=entries[key].key.at,
                    hint="add 'until: EXPRESSION', or 'retry_on: [failed]' to try again after a failure",
                )
    if "retry_on" in entries and "retries" not in entries:
        faults.add(
            "E223", "'retry_on' needs 'retries'", at=entries["retry_on"].key.at, hint="add 'retries: 1'"
        )


def _until(
    entries: Mapping[str, Entry], retries: int | None, pause: Duration | None, reading: Reading
) -> Until | None:
    entry = entries["until"]
    until = condition(entry.value, "until", reading.faults)
    if retries is None and "retries" not in entries and "timeout" not in entries and not reading.bounded:
        reading.faults.add(
            "E223", "'until' has no end", at=entry.key.at, hint="add 'timeout: 30s' or 'retries: 10'"
        )
    if until is None:
        return None
    return Until(condition=until, retries=retries, delay=ONE_SECOND if pause is None else pause)


def refuse(
    entries: Mapping[str, Entry], keys: Collection[str], why: str, faults: Faults, *, hint: str = ""
) -> None:
    """Note every modifier that cannot be used with this kind of step."""
    for key in keys:
        if key in entries:
            faults.add("E225", f"{key!r} cannot be used here: {why}", at=entries[key].key.at, hint=hint)


def describe(node: Node) -> str:
    """Write a value in the title of a step: its first line, short; secrets hidden."""
    match node:
        case ListNode():
            return ", ".join(describe(item) for item in node.items[:3]) + (", …" if len(node) > 3 else "")
        case MapNode():
            return ", ".join(keyed(node))
        case Scalar(secret=True):
            return "******"
        case Scalar():
            line = (node.value if isinstance(node.value, str) else node.text).strip().partition("\n")
            return line[0][:60] + ("…" if line[2] or len(line[0]) > 60 else "")
