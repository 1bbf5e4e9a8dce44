"""Values of recipes as D-Bus has them, and back (D-Bus Specification, "Type System")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from runner.api import RecipeFault

_NUMBERS = "ynqiuxt"
_FIXED = f"{_NUMBERS}bdsogh"


class Typed(NamedTuple):
    """A value whose type is said, for where D-Bus leaves it open."""

    kind: str
    value: Any
    """As a message has it."""


def split(signature: str) -> list[str]:
    """Return the complete types of a signature, in their order; raise RecipeFault for one that is none.

    >>> split("sa{sv}(iu)")
    ['s', 'a{sv}', '(iu)']
    """
    types: list[str] = []
    rest = signature
    while rest:
        length = _length(rest, signature)
        types.append(rest[:length])
        rest = rest[length:]
    return types


def _length(text: str, whole: str) -> int:
    if not text:
        raise RecipeFault(f"{whole!r} is no signature of D-Bus: it ends too early")
    if text[0] in _FIXED or text[0] == "v":
        return 1
    if text[0] == "a":
        return 1 + _length(text[1:], whole)
    closing = {"(": ")", "{": "}"}.get(text[0])
    if closing is None:
        raise RecipeFault(f"{whole!r} is no signature of D-Bus: it has no type {text[0]!r}")
    at = 1
    while text[at : at + 1] != closing:
        at += _length(text[at:], whole)
    return at + 1


def body(signature: str, args: Sequence[Any]) -> tuple[Any, ...]:
    """Return arguments as a message has them; raise RecipeFault when they do not fit the signature."""
    types = split(signature)
    if len(types) != len(args):
        raise RecipeFault(
            f"{len(args)} arguments do not fit the signature {signature!r}, which has {len(types)}"
        )
    return tuple(to_bus(kind, value) for kind, value in zip(types, args, strict=True))


def to_bus(kind: str, value: Any) -> Any:
    """Return a value as one complete type."""
    if kind == "v" and isinstance(value, Typed):
        return tuple(value)
    if kind == "v":
        guessed = guess(value)
        return guessed, to_bus(guessed, value)
    if kind.startswith("a{"):
        return dict(_entries(kind, value))
    if kind == "ay" and isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if kind.startswith("a"):
        return [to_bus(kind[1:], each) for each in _items(kind, value)]
    if kind.startswith("("):
        return body(kind[1:-1], list(_items(kind, value)))
    return _basic(kind, value)


def _entries(kind: str, value: Any) -> Iterator[tuple[Any, Any]]:
    if not isinstance(value, Mapping):
        raise RecipeFault(f"{value!r} is no mapping, which {kind!r} is")
    key_kind, value_kind = split(kind[2:-1])
    for key, each in value.items():
        yield to_bus(key_kind, key), to_bus(value_kind, each)


def _items(kind: str, value: Any) -> Sequence[Any]:
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        raise RecipeFault(f"{value!r} is no list, which {kind!r} is")
    return value


def _basic(kind: str, value: Any) -> Any:
    fits = {
        "b": isinstance(value, bool),
        "d": isinstance(value, (int, float)) and not isinstance(value, bool),
        **dict.fromkeys(_NUMBERS, isinstance(value, int) and not isinstance(value, bool)),
        **dict.fromkeys("sog", isinstance(value, str)),
    }
    if not fits.get(kind, False):
        raise RecipeFault(f"{value!r} does not fit the type {kind!r} of D-Bus")
    return float(value) if kind == "d" else value


def guess(value: Any) -> str:
    """Return the type that a value most likely is to have where D-Bus leaves it open.

    >>> guess(True), guess(3), guess(2**40), guess(1.5), guess(["a"]), guess({"a": 1})
    ('b', 'i', 'x', 'd', 'as', 'a{sv}')
    """
    if isinstance(value, bool):
        return "b"
    if isinstance(value, int):
        return "i" if -(2**31) <= value < 2**31 else "x"
    if isinstance(value, float):
        return "d"
    if isinstance(value, str):
        return "s"
    if isinstance(value, (bytes, bytearray)):
        return "ay"
    if isinstance(value, Mapping):
        return "a{sv}"
    if isinstance(value, Sequence):
        kinds = {guess(each) for each in value}
        return f"a{kinds.pop()}" if len(kinds) == 1 else "av"
    raise RecipeFault(f"{value!r} has no type in D-Bus")


def from_bus(kind: str, value: Any) -> Any:
    """Return a value of a message without its variants: tuples and lists as lists, bytes as bytes."""
    if kind == "v":
        inner, held = value
        return from_bus(inner, held)
    if kind.startswith("a{"):
        key_kind, value_kind = split(kind[2:-1])
        return {from_bus(key_kind, key): from_bus(value_kind, each) for key, each in value.items()}
    if kind == "ay":
        return bytes(value)
    if kind.startswith("a"):
        return [from_bus(kind[1:], each) for each in value]
    if kind.startswith("("):
        return [from_bus(each, held) for each, held in zip(split(kind[1:-1]), value, strict=True)]
    return value
