"""Reads and checks a recipe of 4,500 lines; what counts is the ratio to YAML's and Jinja's own work.

The yardstick is `yaml.compose` with the C loader plus one parse by Jinja of every
distinct template and expression: nobody can check a recipe with less.
"""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import yaml
from jinja2.sandbox import SandboxedEnvironment

from runner.document import ListNode, MapNode, Node, Scalar
from runner.errors import Location
from runner.loader import load
from runner.model import Bench, Definition, Host
from runner.recipe.read import read_recipe
from runner.recipe.static import check_names
from runner.registry import Registry
from runner.template import Templates

LINES = 4500
TARGET = 10.0

HEAD = """\
name: generated
params:
  image: {type: str, default: nightly}
  limit: {type: duration, default: 40s}
vars:
  greeting: "hello {{ bench.name }}"
  config: {speed: 3, names: [a, b]}
setup:
  - command: uname -r
    register: kernel
tests:
"""
TEST = """\
  - test: number {n}
    tags: [generated, t{k}]
    matrix: {{sensor: [temp, light], rate: [10, 100]}}
    steps:
      - command: "prepare {{{{ sensor }}}} --rate {{{{ rate }}}} --seed {n}"
        timeout: 10s
        register: prepared
        expect: prepared.status == 0
      - name: look at it
        command: {{command: "show {{{{ image }}}}", timeout: 5s}}
        register: seen
        when: config.speed > 2 and prepared.status == 0
        expect:
          - result.status == 0
          - result.stdout | length > {n}
        measure: {{size: {{value: "result.stdout | length", unit: B, max: {n}}}}}
      - block:
          - log: "{{{{ greeting }}}} {{{{ item }}}} {{{{ prompt }}}}"
            loop: [a, b, c]
          - assert: {{that: [seen.status == 0, kernel.stdout is defined]}}
        always:
          - log: "done {{{{ kernel.stdout }}}}"
      - command: cleanup
        defer: true
"""


def recipe(lines: int) -> str:
    """Return a recipe of about so many lines."""
    text, number = HEAD, 0
    size = len(TEST.splitlines())
    while len(HEAD.splitlines()) + (number + 1) * size <= lines:
        number += 1
        text += TEST.format(n=number, k=number % 7)
    return text


def templates_of(node: Node) -> Iterable[str]:
    """Go through everything that Jinja has to look at (an expression as a template)."""
    match node:
        case Scalar():
            if node.templated:
                yield str(node.value)
        case ListNode():
            for item in node.items:
                yield from templates_of(item)
        case MapNode():
            for entry in node.entries:
                bare = entry.key.text in {"when", "expect", "value", "that", "max"}
                if bare and isinstance(entry.value, (Scalar, ListNode)):
                    each = [entry.value] if isinstance(entry.value, Scalar) else entry.value.items
                    yield from (f"{{{{ {item.text} }}}}" for item in each if isinstance(item, Scalar))
                else:
                    yield from templates_of(entry.value)


def milliseconds(work: Callable[[], object], times: int = 7) -> float:
    """Return the median time of some work."""
    spent: list[float] = []
    for _ in range(times):
        gc.collect()
        began = time.perf_counter()
        work()
        spent.append((time.perf_counter() - began) * 1000)
    return statistics.median(spent)


def main() -> None:
    """Print the figures."""
    bench = Bench(
        name="b1",
        index=1,
        at=None,
        host=Host(name="localhost"),
        variables=(
            Definition(name="prompt", node=Scalar(Location("lab.yaml", 1, 1), "#", "#"), layer="bench"),
        ),
    )
    registry = Registry.built_in()
    text = recipe(LINES)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "recipe.yaml")
        Path(path).write_text(text, encoding="utf-8")
        unseen = set(templates_of(load(path)))
        read = read_recipe(path, registry)

        compose = milliseconds(lambda: yaml.compose(text, Loader=yaml.CSafeLoader))
        environment = SandboxedEnvironment()
        jinja = milliseconds(lambda: [environment.parse(each) for each in unseen])
        nodes = milliseconds(lambda: load(path))
        reading = milliseconds(lambda: read_recipe(path, registry))
        checking = milliseconds(lambda: check_names(read, {0: (bench,)}, {}, Templates()))

    yardstick = compose + jinja
    steps = len(read.plays[0].tests) * 6
    print(f"{len(text.splitlines())} lines, {steps} steps, {len(unseen)} distinct templates and expressions")
    print(f"yaml.compose            {compose:8.1f} ms")
    print(f"Jinja's parsing         {jinja:8.1f} ms")
    print(f"load (nodes)            {nodes:8.1f} ms   {nodes / compose:5.1f} × yaml.compose")
    print(f"read_recipe (with load) {reading:8.1f} ms   {reading / yardstick:5.1f} × both")
    print(f"check_names             {checking:8.1f} ms   {checking / yardstick:5.1f} × both")
    total = reading + checking
    print(f"read and check          {total:8.1f} ms   {total / yardstick:5.1f} × both (target ≤ {TARGET:g})")


if __name__ == "__main__":
    main()
