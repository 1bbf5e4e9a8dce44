"""Typed values as JSON and back, for what crosses between controller and agent."""

from __future__ import annotations

import base64
import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Union

from runner.api.values import FilePath, Secret

FILE = "$file"
"""What marks a file of the controller's in arguments: until it has been copied, only its path is known."""
_BYTES = "$bytes"
_HIDDEN = "$secret"
_FROM: tuple[tuple[type, tuple[type, ...]], ...] = (
    (str, (str,)),
    (int, (int,)),
    (float, (int, float)),
    (bytes, (bytes,)),
)
"""Which JSON forms a value of a type may have; an enum may have any."""


def encode(value: object) -> Any:
    """Turn a value into what JSON can hold; raise TypeError for anything else.

    >>> encode({"data": b"ok"})
    {'data': {'$bytes': 'b2s='}}
    """
    return _encoded(value, str)


def encode_argument(value: object) -> Any:
    """Turn an argument into what JSON can hold, and mark the files in it.

    >>> encode_argument([FilePath("/images/nightly.img"), "text"])
    [{'$file': '/images/nightly.img'}, 'text']
    """
    return _encoded(value, lambda text: {FILE: str(text)} if type(text) is FilePath else str(text))


def encode_result(value: object) -> Any:
    """Turn a module's result into what JSON can hold, and mark the secrets in it.

    >>> encode_result([Secret("hunter2"), "text"])
    [{'$secret': 'hunter2'}, 'text']
    """
    return _encoded(value, lambda text: {_HIDDEN: str(text)} if type(text) is Secret else str(text))


def secrets_in(result: object) -> Iterator[str]:
    """Return the secrets that are marked in an encoded result.

    >>> list(secrets_in({"rows": [{"$secret": "hunter2"}, "text"]}))
    ['hunter2']
    """
    if isinstance(result, dict) and result.keys() == {_HIDDEN}:
        yield result[_HIDDEN]
        return
    inside = result.values() if isinstance(result, dict) else result if isinstance(result, list) else ()
    for each in inside:
        yield from secrets_in(each)


def is_file(value: object) -> bool:
    """Tell whether an encoded value is a marked file."""
    return isinstance(value, dict) and value.keys() == {FILE}


def _encoded(value: object, of_text: Callable[[str], Any]) -> Any:
    if isinstance(value, (FilePath, Secret)):
        return of_text(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (bytes, bytearray)):
        return {_BYTES: base64.b64encode(value).decode()}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): _encoded(item, of_text) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encoded(item, of_text) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: _encoded(getattr(value, name), of_text) for name in hints(type(value))}
    raise TypeError(f"{type(value).__name__} cannot travel: {value!r}")


def decode(hint: Any, value: Any) -> Any:
    """Rebuild a value of the type `hint` from what `encode` made of it."""
    if isinstance(value, dict) and value.keys() == {_BYTES}:
        value = base64.b64decode(value[_BYTES])
    elif is_file(value):
        value = value[FILE]
    elif isinstance(value, dict) and value.keys() == {_HIDDEN}:
        value = value[_HIDDEN]
    if value is None or hint is Any or hint is object:
        return value
    origin = typing.get_origin(hint)
    if origin in (Union, types.UnionType):
        return _decode_union(typing.get_args(hint), value)
    if origin in (list, tuple, dict) or hint in (list, tuple, dict):
        return _decode_container(origin or hint, typing.get_args(hint), value)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return hint(**{name: decode(hints(hint)[name], item) for name, item in value.items()})
    if isinstance(hint, type) and (not isinstance(value, hint) or isinstance(value, bool)):
        return _made(hint, value)
    return value


def _made(hint: type, value: Any) -> Any:
    """Make a value of a type from its JSON form; text from text only, numbers from numbers only."""
    wanted: tuple[type, ...] = next((kinds for base, kinds in _FROM if issubclass(hint, base)), (object,))
    if not isinstance(value, wanted) or (isinstance(value, bool) and hint is not bool):
        raise TypeError(f"{value!r} is not a {hint.__name__}")
    return hint(value)


def hints(cls: type) -> dict[str, Any]:
    """Return name and type of each dataclass field of a class, in order."""
    return _hints(cls)


@functools.cache
def _hints(cls: Any) -> dict[str, Any]:
    resolved = typing.get_type_hints(cls)
    return {field.name: resolved[field.name] for field in dataclasses.fields(cls)}


def _decode_union(members: tuple[Any, ...], value: Any) -> Any:
    fitting = [member for member in members if member is not type(None)]
    for member in fitting:
        if isinstance(member, type) and type(value) is member:
            return value
    for member in fitting:
        try:
            return decode(member, value)
        except (TypeError, ValueError, AttributeError, KeyError):
            continue
    raise TypeError(f"{value!r} is none of {members!r}")


def _key(hint: Any, key: Any) -> Any:
    """Rebuild a key, of which JSON has made a text (RFC 8259, 4).

    >>> decode(dict[int, str], encode({0: "lamp"}))
    {0: 'lamp'}
    """
    return int(key) if hint is int else decode(hint, key)


def _decode_container(origin: Any, arguments: tuple[Any, ...], value: Any) -> Any:
    if origin is dict:
        key_hint, item_hint = arguments or (object, object)
        return {_key(key_hint, key): decode(item_hint, item) for key, item in value.items()}
    item_hint = arguments[0] if arguments else object
    if origin is tuple and arguments and arguments[-1] is not Ellipsis:
        return tuple(decode(hint, item) for hint, item in zip(arguments, value, strict=True))
    return origin(decode(item_hint, item) for item in value)
