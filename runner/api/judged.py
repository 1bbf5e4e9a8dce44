"""A condition of a recipe, as it was judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Judged:
    """A bare expression and what came of it.

    An argument of this type is written as an expression and judged before the module runs.
    `operands`: each name in it, as written, and its value. `at`: ``recipe.yaml:43:9``.
    """

    text: str
    holds: bool
    operands: Mapping[str, object] = field(default_factory=dict)
    at: str = ""

    @property
    def values(self) -> str:
        """What each operand was: ``result.status is 3, limit is 5``; empty when there are none."""
        return ", ".join(f"{name} is {value!r}" for name, value in self.operands.items())

    def __str__(self) -> str:
        """Return the condition, with the values of its operands in parentheses."""
        return f"{self.text} ({self.values})" if self.values else self.text
