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
