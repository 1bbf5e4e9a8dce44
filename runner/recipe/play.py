"""One play: a mapping becomes a Play."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import runner
from runner.document import Entry, MapNode, Node, Scalar
from runner.errors import Faults, InputError
from runner.loader import load
from runner.loader.fence import Fence
from runner.model import Definition, Play, Timeouts
from runner.recipe import words
from runner.recipe.expressions import condition
from runner.recipe.fields import (
    choice,
    count,
    duration,
    free,
    inside,
    keyed,
    listed,
    mapping,
    text,
    unknown_keys,
    variables,
    wrong,
)
from runner.recipe.modifiers import tags
from runner.recipe.params import read_params
from runner.recipe.reading import Defaults, Reading
from runner.recipe.steps import read_steps
from runner.recipe.tests import as_tests, read_tests
from runner.recipe.untrusted import refuse_file
from runner.recipe.uses import read_defaults
from runner.recipe.version import check_version
from runner.recipe.watch import read_watch

KEYS = (
    "name",
    "description",
    "benches",
    "take",
    "strategy",
    "max_parallel",
    "import",
    "params",
    "vars",
    "vars_files",
    "defaults",
    "tags",
    "meta",
    "when",
    "timeout",
    "watch",
    "reserve",
    "setup",
    "tests",
    "steps",
    "teardown",
    "requires_runner",
)
STRATEGIES = ("free", "lockstep", "shard")

Read = Callable[[Node, Faults], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A play as it stands in the file. `prefix` begins the ids of its steps when there are several."""

    node: MapNode
    base: Path
    prefix: str = ""
    name: str


def _refuse_keys(node: MapNode, entries: Mapping[str, Entry], reading: Reading) -> None:
    foreign = {key: hint for key, hint in words.PLAY.items() if key not in KEYS}
    unknown_keys(node.entries, KEYS, "a play", reading.faults, foreign=foreign)
    if "tests" in entries and "steps" in entries:
        reading.faults.add(
            "E226",
            "a play has 'tests' or 'steps', not both",
            at=entries["steps"].key.at,
            hint="make a test of these steps: '- test: NAME' with 'steps:'",
        )
    if "tests" not in entries and "steps" not in entries and "tasks" not in entries:
        reading.faults.add("E205", "the play has no tests", at=node.at, hint="add 'tests:' or 'steps:'")


def _surroundings(entries: Mapping[str, Entry], found: Mapping[str, Any], reading: Reading) -> Reading:
    timeouts = found.get("timeout")
    bounded = isinstance(timeouts, Timeouts) and (timeouts.step or timeouts.test) is not None
    defaults = _defaults(entries["defaults"].value, reading) if "defaults" in entries else {}
    return dataclasses.replace(reading, defaults=defaults, bounded=bounded)


def _steps(entries: Mapping[str, Entry], prefix: str, reading: Reading) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in ("setup", "teardown"):
        if key in entries:
            found[key] = read_steps(entries[key].value, f"{prefix}{key}", reading)
    if "tests" in entries:
        found["tests"] = read_tests(entries["tests"].value, prefix, reading)
    elif "steps" in entries:
        found["tests"] = as_tests(entries["steps"].value, prefix, dataclasses.replace(reading, short=True))
        found["chained"] = True
    return found


def _benches(node: Node, faults: Faults) -> str | None:
    if not isinstance(node, Scalar):
        names = [item.text for item in listed(node) if isinstance(item, Scalar)]
        wrong(node, "benches", "a pattern", faults, hint=f"write benches: {','.join(names)}" if names else "")
        return None
    return text(node, "benches", faults) or None


def _take(node: Node, faults: Faults) -> int | None:
    if isinstance(node, Scalar) and node.value == "all":
        return None
    return count(node, "take", faults, least=1)


def _timeouts(node: Node, faults: Faults) -> Timeouts | None:
    if isinstance(node, Scalar):
        hint = f"write timeout: {{run: {node.text}}}, or {{test: …}}, {{step: …}}"
        wrong(node, "timeout of a play", "a mapping", faults, hint=hint)
        return None
    read = mapping(node, "timeout", faults)
    if read is None:
        return None
    unknown_keys(read.entries, ("run", "test", "step"), "timeout of a play", faults)
    return Timeouts(
        **{
            entry.key.text: duration(entry.value, f"timeout {entry.key.text!r}", faults)
            for entry in read.entries
            if entry.key.text in {"run", "test", "step"}
        },
        at={entry.key.text: entry.value.at for entry in read.entries},
    )


def _reserve(node: Node, faults: Faults) -> dict[str, Any]:
    read = mapping(node, "reserve", faults)
    if read is None:
        return {}
    unknown_keys(read.entries, ("wait", "hold"), "reserve", faults)
    wait, hold = read.get("wait"), read.get("hold")
    return {
        "reserve_wait": duration(wait, "wait", faults) if wait is not None else None,
        "reserve_hold": duration(hold, "hold", faults) if hold is not None else None,
    }


def _defaults(node: Node, reading: Reading) -> dict[str, Defaults]:
    read = mapping(node, "defaults", reading.faults)
    if read is None:
        return {}
    found: dict[str, Defaults] = {}
    for entry in read.entries:
        name = entry.key.text
        verb = reading.verbs.find(name, reading.faults)
        if verb is None and not reading.verbs.broken(name):
            hint = words.verb_hint(name, reading.verbs.names(), ())
            reading.faults.add("E201", f"no module {name!r}", at=entry.key.at, hint=hint)
        made = read_defaults(verb, entry, reading.faults) if verb is not None else None
        if made is not None:
            found[name] = made
    return found


def _variables(entries: Mapping[str, Entry], base: Path, reading: Reading) -> tuple[Definition, ...]:
    faults = reading.faults
    found: list[Definition] = []
    if "vars_files" in entries:
        for item in listed(entries["vars_files"].value):
            found.extend(_from_file(item, base, reading.fence, faults))
    if "vars" in entries:
        own = variables(entries["vars"].value, "vars", faults)
        found.extend(Definition(name=name, node=node, layer="play vars") for name, node in own.items())
    return tuple(found)


def _from_file(item: Node, base: Path, fence: Fence | None, faults: Faults) -> list[Definition]:
    given = text(item, "vars_files", faults)
    if not given:
        return []
    path = base / Path(given).expanduser()
    at = inside(item) if isinstance(item, Scalar) else item.at
    if fence is not None and not fence.holds(path):
        refuse_file(given, at, faults)
        return []
    if not path.is_file():
        faults.add("E214", f"there is no file {given!r}", at=at, hint="the path is relative to this file")
        return []
    try:
        node = load(str(path), fence=fence)
    except InputError as error:
        faults.extend(error)
        return []
    if isinstance(node, Scalar) and node.value is None:
        return []
    read = variables(node, f"{given}", faults)
    return [Definition(name=name, node=value, layer=f"vars file {given}") for name, value in read.items()]


_FIELDS: Mapping[str, tuple[str, Read]] = {
    "name": ("name", lambda node, faults: text(node, "name", faults)),
    "description": ("description", lambda node, faults: text(node, "description", faults)),
    "benches": ("benches", _benches),
    "take": ("take", _take),
    "strategy": ("strategy", lambda node, faults: choice(node, "strategy", STRATEGIES, faults) or None),
    "max_parallel": ("max_parallel", lambda node, faults: count(node, "max_parallel", faults, least=1)),
    "params": ("params", lambda node, faults: read_params(node, "the play", faults)),
    "tags": ("tags", tags),
    "meta": ("meta", lambda node, faults: free(node, "meta", faults)),
    "when": ("when", lambda node, faults: condition(node, "when", faults)),
    "timeout": ("timeout", _timeouts),
    "watch": ("watch", read_watch),
}


def read_play(written: Written, reading: Reading) -> Play:
    """Read a play; `reading` knows the modules and the actions that it imports."""
    faults = reading.faults
    entries = keyed(written.node)
    _refuse_keys(written.node, entries, reading)
    found = {
        name: read(entries[key].value, faults) for key, (name, read) in _FIELDS.items() if key in entries
    }
    if "requires_runner" in entries:
        check_version(entries["requires_runner"].value, runner.__version__, faults)
    if "reserve" in entries:
        found.update(_reserve(entries["reserve"].value, faults))
    found["variables"] = _variables(entries, written.base, reading)
    found.update(_steps(entries, written.prefix, _surroundings(entries, found, reading)))
    benches = entries.get("benches")
    found.setdefault("name", written.name)
    return Play(
        at=written.node.at,
        benches_at=inside(benches.value) if benches and isinstance(benches.value, Scalar) else None,
        **{name: value for name, value in found.items() if value is not None},
    )
