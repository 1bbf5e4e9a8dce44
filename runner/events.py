"""Events as JSON: one object a line, empty fields left out."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from runner.api.codec import hints
from runner.errors import Fault, InputError, Location
from runner.result import Attempt, ConsoleSlice, Event, Measured, Outcome, Problem

_RECORDS = (Problem, Measured, ConsoleSlice, Attempt)
_KEPT = object()
"""In the place of a default that is not empty: such a field is always written."""


def _fields(kind: type) -> tuple[tuple[str, object], ...]:
    return tuple((field.name, _empty(field)) for field in dataclasses.fields(kind))


def _empty(field: dataclasses.Field[Any]) -> object:
    if field.default_factory is dict:
        return {}
    return field.default if field.default is None or field.default in ("", ()) else _KEPT


_TYPES: Mapping[str, type[Event]] = MappingProxyType(
    {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", each.__name__).lower(): each for each in typing.get_args(Event)}
)
_NAMES: Mapping[type, str] = MappingProxyType({kind: name for name, kind in _TYPES.items()})
_FIELDS: Mapping[type, tuple[tuple[str, object], ...]] = MappingProxyType(
    {kind: _fields(kind) for kind in (*_NAMES, *_RECORDS)}
)
"""For each kind of record its fields, and the empty default of those that may be left out."""


def to_json(event: Event) -> dict[str, Any]:
    """Return an event as what JSON can hold; ``event`` is its kind in snake_case."""
    return {name: plain(value) for name, value in _shallow(event).items()}


def line(event: Event) -> bytes:
    """Return an event as a line of events.jsonl."""
    found = _shallow(event)
    try:
        text = _encode(found)
    except (TypeError, ValueError):  # a key that is no text, a number that is none
        text = _encode(plain(found))
    return (text + "\n").encode("utf-8", "backslashreplace")


def _shallow(event: Event) -> dict[str, Any]:
    kind = type(event)
    found: dict[str, Any] = {"event": _NAMES[kind]}
    for name, empty in _FIELDS[kind]:
        value = getattr(event, name)
        if value is not empty and value != empty:
            found[name] = value.word if type(value) is Outcome else value
    return found


def plain(value: Any) -> Any:
    """Return a value as what JSON can hold; what it has no form for becomes text.

    >>> plain({1: (b"ok", float("nan"))})
    {'1': ['ok', 'nan']}
    """
    if isinstance(value, Outcome):
        return value.word
    if isinstance(value, float):
        return value if math.isfinite(value) else str(float(value))
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, Mapping):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    return _other(value)


def _key(key: object) -> str:
    return json.dumps(key) if key is None or isinstance(key, (bool, int, float)) else str(key)


def _other(value: Any) -> Any:
    """Return what stands for a value that the encoder does not know."""
    if isinstance(value, _RECORDS):
        kept = ((name, getattr(value, name), empty) for name, empty in _FIELDS[type(value)])
        return {name: plain(item) for name, item, empty in kept if item is not empty and item != empty}
    if isinstance(value, (bytes, bytearray)):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    return plain(value) if isinstance(value, Mapping) else str(value)


_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_other, check_circular=False
).encode


def from_json(found: Mapping[str, Any]) -> Event:
    """Return the event that `to_json` made this of; raise ValueError when it is none."""
    kind = _TYPES.get(found.get("event", ""))
    if kind is None:
        raise ValueError(f"no event {found.get('event')!r}")
    try:
        return kind(**_values(kind, {name: value for name, value in found.items() if name != "event"}))
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{found['event']} is not what it was: {error}") from error


def _values(kind: type, found: Mapping[str, Any]) -> dict[str, Any]:
    types = hints(kind)
    return {name: _restored(types[name], value) for name, value in found.items()}


def _restored(hint: Any, value: Any) -> Any:
    if hint is Outcome:
        return Outcome[value.upper()]
    members = (hint, *typing.get_args(hint))
    if isinstance(value, str) and float in members:
        return float(value)  # a number that is none
    record = next((each for each in _RECORDS if each in members), None)
    if record is not None and isinstance(value, dict):
        return record(**_values(record, value))
    if isinstance(value, list) and typing.get_origin(hint) is tuple:
        return tuple(value) if record is None else tuple(record(**_values(record, item)) for item in value)
    return value


def read(path: Path) -> Iterator[Event]:
    """Go through the events of a file; a last line that was cut off is left out.

    Raises InputError when a line is not an event.
    """
    with path.open("rb") as file:
        for number, text in enumerate(file, start=1):
            if text.endswith(b"\n"):
                yield _parsed(text, Location(str(path), number, 1))


def _parsed(text: bytes, at: Location) -> Event:
    try:
        return from_json(json.loads(text))
    except (ValueError, AttributeError) as error:
        message = f"this line is not an event: {error}"
        raise InputError([Fault(code="E533", message=message, at=at)]) from error
