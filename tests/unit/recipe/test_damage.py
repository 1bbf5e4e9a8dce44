"""A recipe that is damaged anywhere is read or refused; it never crashes the reader."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.benches import bench

from runner.errors import Fault, InputError
from runner.recipe.read import survey
from runner.recipe.static import survey_names
from runner.registry import Registry
from runner.template import Templates

GOOD = """
name: good
params: {limit: {type: duration, default: 40s}, kind: {choices: [a, b], default: a}}
vars: {k: {a: [1]}, greeting: "hello {{ bench.name }}"}
defaults: {try_command: {timeout: 3s}}
timeout: {run: 30m, test: 5m, step: 30s}
setup: [{try_login: root, register: first}]
tests:
  - test: one
    matrix: {s: [a, b], r: [1, 2], exclude: [{s: a, r: 2}]}
    vars: {local: "{{ s }}"}
    xfail: {when: s == 'a', reason: x, strict: false}
    retries: {max: 2, on: [failed]}
    tags: [t]
    steps:
      - try_set: {q: 1}
      - block: [{try_log: "{{ z }} {{ v }}", loop: [1, 2], loop_var: z, label: "{{ z }}"}]
        rescue: [{try_log: y}]
        always: [{try_cycle: {device: board}}]
        when: q == 1
        loop: {a: 1}
        vars: {v: "{{ q }}"}
      - parallel: [{try_log: a}, {try_command: ls, register: ls}]
      - {try_command: ls, background: bg, register: got, timeout: "{{ limit }}"}
      - join: bg
      - try_that: [got.status == 0, q == 1]
      - try_command: x
        until: result.status == 0
        retries: 3
        delay: 1s
        measure: {t: {value: result.elapsed, unit: s, max: limit}}
  - test: two
    requires: one
    skip: later
    steps: [{try_command: x, retry_on: [failed], retries: 1, expect_error: {class: timeout}, bench: b1}]
teardown: [{try_log: "{{ first.elapsed }}"}]
"""
ODD: list[Any] = [
    None,
    True,
    3,
    1.5,
    "x",
    "{{ x }}",
    "{{ nope",
    "a == ",
    [],
    [[1]],
    ["a", {"b": 1}],
    {},
    {"a": 1},
    {1: 2},
    {"{{ x }}": "{{ y }}"},
    10**30,
    "-1",
    "é\u2028",
]


def paths(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Go through the paths of everything in a tree."""
    yield path
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inner:
        yield from paths(value, (*path, key))


def damaged(tree: Any, chance: random.Random) -> Any:
    """Return a copy with something odd at some place."""
    path = chance.choice([path for path in paths(tree) if path])
    changed = copy.deepcopy(tree)
    parent = changed
    for key in path[:-1]:
        parent = parent[key]
    if chance.random() < 0.8:
        parent[path[-1]] = copy.deepcopy(chance.choice(ODD))
    else:
        del parent[path[-1]]
    return changed


def test_the_recipe_is_right_before_it_is_damaged(checked: Callable[..., list[str]]) -> None:
    assert checked(GOOD) == []


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_recipe_is_read_or_refused(
    write: Callable[..., Path], registry: Registry, seed: int
) -> None:
    chance = random.Random(seed)
    tree = yaml.safe_load(GOOD)

    for _ in range(25):
        path = write(
            yaml.dump(damaged(tree, chance), Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True)
        )
        assert all(fault.at is not None and fault.at.column > 0 for fault in faults_of(path, registry))


def faults_of(path: Path, registry: Registry) -> tuple[Fault, ...]:
    """Return what is said of a recipe, nothing when it is right."""
    try:
        recipe, faults = survey(str(path), registry)
        survey_names(recipe, {0: (bench(),)}, {}, Templates(), faults)
        faults.raise_if_any()
    except InputError as error:
        return error.faults
    return ()
