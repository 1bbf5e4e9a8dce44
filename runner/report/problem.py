"""A problem as text: the sentence, the evidence, the console's last lines, the place, what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from runner.events import plain
from runner.result import Problem

_LONGEST = 2000


def problem_text(problem: Problem) -> str:
    """Return everything that is known about a problem."""
    return "\n".join(lines(problem))


def lines(problem: Problem, *, traceback: bool = True) -> Iterator[str]:
    """Go through the lines of a problem, the sentence first; with its traceback, if any and wanted."""
    yield problem.message
    for name, value in problem.evidence.items():
        yield from _evidence(name, value)
    if problem.console:
        yield "  console:"
        yield from (f"    {line}" for line in problem.console.splitlines())
    if problem.at:
        yield f"  at {problem.at}"
    if problem.hint:
        yield f"  hint: {problem.hint}"
    if problem.traceback and traceback:
        yield from problem.traceback.rstrip().splitlines()


def _evidence(name: str, value: Any) -> Iterator[str]:
    value = plain(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST // 2]} … {len(text) - _LONGEST} more … {text[-_LONGEST // 2 :]}"
    first, *rest = text.splitlines() or [""]
    if not rest:
        yield f"  {name}: {first}"
        return
    yield f"  {name}:"
    yield from (f"    {line}" for line in (first, *rest))
