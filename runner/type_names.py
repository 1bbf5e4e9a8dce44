"""The names of argument types, and of values, as people write them in recipes."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Union

from runner.api.judged import Judged
from runner.api.values import BytePattern, ByteString, Checksum, Duration, FilePath, Secret, Size, TargetPath
from runner.document import ListNode, MapNode, Node, Scalar
from runner.fields import parameters_of
from runner.loader import core_value
from runner.model import Expression


def show(value: object) -> str:
    """Write a default as it would stand in a recipe.

    >>> show(Duration("60s")), show(True), show(None)
    ('1m', 'true', 'null')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and not isinstance(value, BytePattern):
        return repr(str(value)) if value else '""'
    if dataclasses.is_dataclass(value):
        return "{…}"
    return str(value)


_NAMES: Mapping[Any, str] = types.MappingProxyType(
    {
        bool: "true or false",
        int: "whole number",
        float: "number",
        str: "text",
        bytes: "byte string",
        object: "any value",
        Any: "any value",
        None: "null",
        type(None): "null",
        Duration: "duration",
        Size: "size",
        ByteString: "byte string",
        BytePattern: "byte pattern",
        FilePath: "file",
        Checksum: "SHA-256 or file",
        TargetPath: "file to write",
        Secret: "secret text",
        Judged: "expression",
        Expression: "expression",
        list: "list",
        tuple: "list",
        dict: "mapping",
    }
)


def type_name(hint: Any) -> str:
    """Return the words for a type.

    >>> type_name(Duration), type_name(list[int]), type_name(str | None)
    ('duration', 'list of whole number', 'text or null')
    """
    if isinstance(hint, typing.Hashable) and hint in _NAMES:
        return _NAMES[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {Union, types.UnionType}:
        return " or ".join(dict.fromkeys(type_name(member) for member in arguments))
    if origin is Literal:
        return one_of(arguments)
    if origin in {list, tuple}:
        return f"list of {type_name(arguments[0])}" if arguments else "list"
    if origin is dict:
        return f"mapping of {type_name(arguments[1])}" if len(arguments) > 1 else "mapping"
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return one_of([member.value for member in hint])
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return f"mapping ({', '.join(parameters_of(hint))})"
    return getattr(hint, "__name__", str(hint))


def one_of(choices: Iterable[Any]) -> str:
    """Write several values as a choice: ``1, 2 or 3``."""
    words = [show(choice) for choice in choices]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def supported(hint: Any) -> bool:
    """Tell whether a type is in the closed set of types of arguments."""
    if isinstance(hint, typing.Hashable) and hint in _NAMES:
        return True
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return True
    if origin in {Union, types.UnionType, list, tuple, dict}:
        return all(member is Ellipsis or supported(member) for member in arguments)
    if not isinstance(hint, type):
        return False
    return issubclass(hint, enum.Enum) or dataclasses.is_dataclass(hint)


def seen(node: Node) -> str:
    """Say in a message what stands there."""
    match node:
        case ListNode():
            return "a list"
        case MapNode():
            return "a mapping"
        case Scalar(value=None):
            return "nothing"
        case Scalar(secret=True):
            return "a secret"
        case _:
            kind = "text " if isinstance(node.value, str) and core_value(node.text) != node.text else ""
            return f"{kind}{node.text!r}" if isinstance(node.value, str) else node.text
