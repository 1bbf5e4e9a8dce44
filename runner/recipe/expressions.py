"""Bare expressions: ``when``, ``expect``, ``until`` and the like."""

from __future__ import annotations

import re

from runner.document import ListNode, Node, Scalar
from runner.errors import Faults
from runner.model import Expression
from runner.recipe.fields import inside, is_nothing, wrong

_BRACES = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")


def expression(node: Node, what: str, faults: Faults) -> Expression | None:
    """Read one expression; its location is that of its text."""
    if isinstance(node, ListNode):
        joined = " and ".join(item.text for item in node.items if isinstance(item, Scalar))
        wrong(node, what, "one expression", faults, hint=f"join them: {what}: {joined}" if joined else "")
        return None
    return _read(node, what, f"{what}: ", faults)


def condition(node: Node, what: str, faults: Faults) -> Expression | None:
    """Read an expression that is true or false."""
    if _is_number(node):
        wrong(node, what, "a condition", faults, hint="a number is neither true nor false: compare it")
        return None
    return expression(node, what, faults)


def conditions(node: Node, what: str, faults: Faults) -> tuple[Expression, ...]:
    """Read one condition or a list of them."""
    if not isinstance(node, ListNode):
        found = [condition(node, what, faults)]
    else:
        found = [_listed(item, what, faults) for item in node.items]
    return tuple(each for each in found if each is not None)


def _listed(item: Node, what: str, faults: Faults) -> Expression | None:
    return condition(item, what, faults) if _is_number(item) else _read(item, what, "- ", faults)


def _is_number(node: Node) -> bool:
    value = node.value if isinstance(node, Scalar) else None
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _read(node: Node, what: str, line: str, faults: Faults) -> Expression | None:
    if not isinstance(node, Scalar) or is_nothing(node):
        wrong(node, what, "an expression", faults)
        return None
    text = node.value if isinstance(node.value, str) else node.text
    if "{{" in text or "{%" in text:
        _braces(node, text, what, faults, line=line)
        return None
    if not text.strip():
        wrong(node, what, "an expression", faults)
        return None
    return Expression(text=text, at=inside(node))


def _braces(node: Scalar, text: str, what: str, faults: Faults, *, line: str) -> None:
    whole = _BRACES.fullmatch(text.strip())
    bare = whole[1] if whole and "{{" not in whole[1] else _BRACES.sub(r"\1", text)
    hint = f"write {line}{quoted(bare)}" if "{" not in bare else "write it without {{ }} and {% %}"
    faults.add("E304", f"{what} is an expression already: it takes no {{{{ }}}}", at=node.at, hint=hint)


def quoted(text: str) -> str:
    r"""Write a text as YAML would need it, with quotes only where they matter.

    >>> quoted("status == 0")
    'status == 0'
    >>> quoted("'mmc' in result.output")
    '"\'mmc\' in result.output"'
    """
    plain_start = re.match(r"[A-Za-z0-9_(.]", text) is not None
    if plain_start and ": " not in text and " #" not in text:
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
