"""How a step, or several, ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from runner.result import Outcome, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a step, or several, ended."""

    outcome: Outcome
    problem: Problem | None = None
    result: Any = None
    reason: str = ""

    @property
    def good(self) -> bool:
        """Tell whether the next step may run."""
        return self.outcome.good


PASSED = End(outcome=Outcome.PASSED)


def worst(ends: Iterable[End]) -> End:
    """Return the first of the worst; PASSED when there are none."""
    return max(ends, key=lambda end: end.outcome, default=PASSED)


def worst_done(ends: Iterable[End]) -> End:
    """Return the first of the worst of what was done: what was skipped says nothing of the others."""
    return worst(end for end in ends if end.outcome is not Outcome.SKIPPED)
