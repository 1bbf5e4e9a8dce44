"""Rendered values as nodes, so that they are typed as if they stood in the recipe."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, Union

from runner.api.values import Checksum, FilePath, Secret, TargetPath
from runner.document import Entry, ListNode, MapNode, Node, Scalar
from runner.errors import Location
from runner.loader import core_value

NOWHERE = Location("", 0, 0)


def node_of(value: object, hint: Any = object, at: Location = NOWHERE) -> Node:
    """Wrap a Python value as a node of the place `at`; text for a number is read as one."""
    if isinstance(value, Mapping):
        return MapNode(
            at, tuple(Entry(_text(str(key), at), node_of(item, at=at)) for key, item in value.items()), False
        )
    if isinstance(value, (list, tuple, range)):
        return ListNode(at, tuple(node_of(item, at=at) for item in value), False)
    if isinstance(value, (bytes, bytearray)):
        return ListNode(at, tuple(node_of(item, at=at) for item in value), False)
    if isinstance(value, str) and not _takes_text(hint):
        return Scalar(at, core_value(value), value, literal=True)
    if value is None or isinstance(value, (bool, int, float, str)):
        return Scalar(
            at,
            value,
            "" if value is None else _source(value),
            quoted=isinstance(value, str),
            literal=True,
        )
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return node_of({each.name: getattr(value, each.name) for each in dataclasses.fields(value)}, at=at)
    return _text(str(value), at)


def _takes_text(hint: Any) -> bool:
    if typing.get_origin(hint) in {Union, types.UnionType}:
        return any(_takes_text(member) for member in typing.get_args(hint))
    return (
        hint in {str, object, Any, Secret, FilePath, Checksum, TargetPath}
        or typing.get_origin(hint) is Literal
    )


def _source(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(value: str, at: Location) -> Scalar:
    return Scalar(at, value, value, quoted=True, literal=True)
