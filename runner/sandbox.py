"""The Jinja environment of recipes: sandboxed, strict, with our filters and tests.

This file imports Jinja; it is itself imported when the first template is met.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sized
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2.exceptions import SecurityError, TemplateSyntaxError
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from runner import filters

_LONGEST = 2**24
"""How many items or characters a multiplication may make; a power may have as many bits."""


class Sandbox(SandboxedEnvironment):
    """Renders expressions that cannot reach Python, nor fill the memory by one multiplication."""

    intercepted_binops = frozenset({"*", "**"})

    def __init__(self) -> None:
        """Know our filters and tests beside Jinja's."""
        super().__init__(undefined=StrictUndefined, keep_trailing_newline=True)
        self.filters.update(filters.filters())
        self.tests.update(filters.tests())

    def compiled(self, text: str) -> Callable[[Mapping[str, Any]], Any]:
        """Return what gives the value of an expression for the names that it is given.

        `compile_expression` does the same, but copies all of Jinja's globals at every call, which
        costs more than a short condition itself. Raises TemplateSyntaxError.
        """
        parser = Parser(self, text, state="variable")
        expression = parser.parse_expression()
        if not parser.stream.eos:
            raise TemplateSyntaxError("more follows the expression", parser.stream.current.lineno)
        result = nodes.Assign(nodes.Name("result", "store"), expression, lineno=1)
        whole = nodes.Template([result], lineno=1)
        whole.set_environment(self)
        template = self.from_string(whole)
        known = dict(template.globals)

        def value(given: Mapping[str, Any]) -> Any:
            context = self.context_class(self, {**known, **given}, None, {})
            for _text in template.root_render_func(context):
                pass
            return context.vars["result"]

        return value

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute left * right or left ** right; raise SecurityError when the result would be huge."""
        if _size(operator, left, right) > _LONGEST:
            raise SecurityError(f"the result of {operator} would be too big")
        return super().call_binop(context, operator, left, right)


def _size(operator: str, left: Any, right: Any) -> int:
    """Return how big a result will be, in items or bits; 0 for what stays small."""
    if operator == "**":
        whole = isinstance(left, int) and isinstance(right, int) and right > 0
        return left.bit_length() * right if whole else 0
    for many, times in ((left, right), (right, left)):
        if isinstance(many, Sized) and isinstance(times, int):
            return len(many) * times
    return 0
