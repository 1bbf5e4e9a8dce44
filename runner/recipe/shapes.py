"""What is known of a value before the run: its type, or the fields that it has.

A shape is a type hint, or a `Record` where the fields are known and the type is not.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Union

from runner.api.codec import hints
from runner.document import ListNode, MapNode, Node, Scalar


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with these fields and no others."""

    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list whose items all have one shape."""

    item: Any


class Missing:
    """The answer of `member` for a field that does not exist."""


MISSING = Missing()


def member(shape: Any, name: str) -> Any:
    """Return the shape of a field of a value, or MISSING when it cannot have that field.

    >>> member(Record({"elapsed": float}), "elapsed")
    <class 'float'>
    >>> member(Record({"elapsed": float}), "elapsd") is MISSING
    True
    """
    if shape is Any or shape is object:
        return Any
    if isinstance(shape, Record):
        found = shape.fields.get(name, MISSING)
        return Any if found is MISSING and hasattr(dict, name) else found
    if isinstance(shape, ListOf):
        return Any if hasattr(list, name) else MISSING
    origin = typing.get_origin(shape)
    if origin in (Union, types.UnionType):
        return _of_union(typing.get_args(shape), name)
    if origin is Literal:
        return _of_union(tuple({type(value) for value in typing.get_args(shape)}), name)
    if origin is not None:
        return _of_container(origin, typing.get_args(shape), name)
    if isinstance(shape, type):
        return _of_class(shape, name)
    return Any


def fields_of(shape: Any) -> tuple[str, ...]:
    """Return the names of the fields that are worth suggesting."""
    if isinstance(shape, Record):
        return tuple(shape.fields)
    if typing.get_origin(shape) in (Union, types.UnionType):
        return tuple(name for each in typing.get_args(shape) for name in fields_of(each))
    if isinstance(shape, type) and dataclasses.is_dataclass(shape):
        return tuple(_class_fields(shape))
    return ()


def item(shape: Any) -> Any:
    """Return the shape of what a loop over a value gives."""
    if isinstance(shape, ListOf):
        return shape.item
    if isinstance(shape, Record):
        return Record({"key": str, "value": Any})
    origin, arguments = typing.get_origin(shape), typing.get_args(shape)
    if origin in (list, tuple) and arguments and (origin is list or arguments[-1] is Ellipsis):
        return arguments[0]
    if origin is dict:
        return Record({"key": str, "value": arguments[1] if len(arguments) > 1 else Any})
    return Any


def of_node(node: Node) -> Any:
    """Return the shape of a value as it is written; what a template gives is not known."""
    match node:
        case Scalar():
            return Any if node.templated or node.value is None else type(node.value)
        case ListNode():
            return ListOf(common(of_node(each) for each in node.items))
        case MapNode():
            return Record({entry.key.text: of_node(entry.value) for entry in node.entries})


def of_value(value: object) -> Any:
    """Return the shape of a value that is known already."""
    if isinstance(value, Mapping):
        return Record({str(name): of_value(each) for name, each in value.items()})
    if isinstance(value, (list, tuple)):
        return ListOf(common(of_value(each) for each in value))
    return Any if value is None else type(value)


def common(shapes: Iterable[Any]) -> Any:
    """Return the shape that fits all of some values: the fields that all of them have.

    >>> common([Record({"a": int, "b": int}), Record({"a": int})])
    Record(fields={'a': <class 'int'>})
    """
    found = list(shapes)
    if not found:
        return Any
    if all(isinstance(each, Record) for each in found):
        names = [name for name in found[0].fields if all(name in each.fields for each in found)]
        return Record({name: common(each.fields[name] for each in found) for name in names})
    return found[0] if all(each == found[0] for each in found) else Any


def describe(shape: Any) -> str:
    """Say what a value is, for a message.

    >>> describe(ListOf(int)), describe(str)
    ('a list', 'a text')
    """
    if isinstance(shape, Record):
        return "a mapping"
    if isinstance(shape, ListOf):
        return "a list"
    origin = typing.get_origin(shape) or shape
    if origin in (Union, types.UnionType):
        return " or ".join(describe(each) for each in typing.get_args(shape) if each is not type(None))
    words = {
        str: "a text",
        int: "a number",
        float: "a number",
        bool: "true or false",
        list: "a list",
        tuple: "a list",
        dict: "a mapping",
        bytes: "bytes",
    }
    for kind, word in words.items():
        if origin is kind:
            return word
    return f"a {origin.__name__}" if isinstance(origin, type) else "a value"


def _of_union(members: tuple[Any, ...], name: str) -> Any:
    fitting = [member(each, name) for each in members if each is not type(None)]
    found = [each for each in fitting if each is not MISSING]
    if not found:
        return MISSING
    return found[0] if len(found) == 1 else Any


def _of_container(origin: Any, arguments: tuple[Any, ...], name: str) -> Any:
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return arguments[1] if len(arguments) > 1 and not hasattr(dict, name) else Any
    return Any if hasattr(origin, name) else MISSING


def _of_class(cls: type, name: str) -> Any:
    if dataclasses.is_dataclass(cls):
        found = _class_fields(cls).get(name, MISSING)
        return Any if found is MISSING and _public_attribute(cls, name) else found
    if issubclass(cls, Mapping):
        return Any
    return Any if _public_attribute(cls, name) else MISSING


def _public_attribute(cls: type, name: str) -> bool:
    return not name.startswith("_") and hasattr(cls, name)


@functools.cache
def _class_fields(cls: type) -> Mapping[str, Any]:
    return hints(cls)
