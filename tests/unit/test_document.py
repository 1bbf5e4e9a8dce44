"""Nodes: what a template is, and how mappings are asked."""

from __future__ import annotations

import pytest

from runner.document import Entry, ListNode, MapNode, Node, Scalar, plain
from runner.errors import Location

HERE = Location("x.yaml", 1, 1)


def text(value: str, *, literal: bool = False) -> Scalar:
    return Scalar(HERE, value, value, literal=literal)


def mapping(**values: Node) -> MapNode:
    return MapNode(HERE, tuple(Entry(text(key), value) for key, value in values.items()), templated=False)


@pytest.mark.parametrize("value", ["{{ x }}", "a {{ x }} b", "{% if x %}"])
def test_text_with_braces_is_a_template_unless_it_came_from_outside(value: str) -> None:
    assert text(value).templated
    assert not text(value, literal=True).templated


@pytest.mark.parametrize("value", [5, None, True, "{ x }", "100 %}", "}}"])
def test_anything_else_is_no_template(value: int | str | None) -> None:
    assert not Scalar(HERE, value, str(value)).templated


def test_a_mapping_gives_values_and_the_nodes_of_its_keys() -> None:
    node = mapping(a=text("1"), b=text("2"))

    assert node.get("b") == text("2")
    assert node.key("b") == text("b")
    assert (node.get("c"), node.key("c")) == (None, None)
    assert (node.names(), len(node)) == (("a", "b"), 2)


def test_plain_values_are_those_of_python() -> None:
    items = ListNode(HERE, (Scalar(HERE, 1, "1"), Scalar(HERE, None, "")), templated=False)

    assert plain(mapping(a=items, b=text("x"))) == {"a": [1, None], "b": "x"}
