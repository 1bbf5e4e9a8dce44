"""The operands of a condition, as a person would write them: for the message when it does not hold.

This file imports Jinja; it is itself imported when the first condition fails.
"""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes


def operands(node: nodes.Node) -> Iterator[str]:
    """Return the outermost values that a condition compares: ``result.status``, ``text | length``."""
    text = "" if isinstance(node, nodes.Const) else written(node)
    if text:
        yield text
        return
    for inner in _inside(node):
        yield from operands(inner)


def _inside(node: nodes.Node) -> Iterator[nodes.Node]:
    """Return the parts of a node that have values; a method is none without its call."""
    for inner in node.iter_child_nodes():
        if isinstance(node, nodes.Call) and inner is node.node:
            yield from inner.iter_child_nodes()
        else:
            yield inner


def written(node: nodes.Node) -> str:
    """Return a value as it is written; an empty text for what is no simple value."""
    match node:
        case nodes.Name():
            return node.name
        case nodes.Const():
            return repr(node.value)
        case nodes.Getattr():
            return _joined(written(node.node), f".{node.attr}")
        case nodes.Getitem():
            return _joined(written(node.node), _bracketed("[", [node.arg], "]"))
        case nodes.Call() if not (node.kwargs or node.dyn_args or node.dyn_kwargs):
            return _joined(written(node.node), _bracketed("(", node.args, ")"))
        case nodes.Filter() if node.node is not None and not (node.kwargs or node.dyn_args):
            arguments = _bracketed("(", node.args, ")") if node.args else " "
            return _joined(written(node.node), arguments and f" | {node.name}{arguments.strip()}")
        case _:
            return ""


def _bracketed(left: str, inner: list[nodes.Expr], right: str) -> str:
    texts = [written(each) for each in inner]
    return f"{left}{', '.join(texts)}{right}" if all(texts) else ""


def _joined(*parts: str) -> str:
    return "".join(parts) if all(parts) else ""
