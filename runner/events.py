"""Events as JSON: one object a line, empty fields left out."""

from __future__ import annotations

import dataclasses
import json
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from runner.api.codec import hints
from runner.result import ConsoleSlice, Event, Measured, Outcome, Problem

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode
_TYPES: Mapping[str, type[Event]] = MappingProxyType(
    {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", each.__name__).lower(): each for each in typing.get_args(Event)}
)
_NAMES: Mapping[type, str] = MappingProxyType({kind: name for name, kind in _TYPES.items()})
_FIELDS: Mapping[type, tuple[tuple[str, bool], ...]] = MappingProxyType(
    {
        kind: tuple(
            (field.name, field.default is not dataclasses.MISSING) for field in dataclasses.fields(kind)
        )
        for kind in _NAMES
    }
)
"""For each kind of event its fields, and whether an empty one may be left out."""


def to_json(event: Event) -> dict[str, Any]:
    """Return an event as what JSON can hold; ``event`` is its kind in snake_case."""
    kind = type(event)
    found: dict[str, Any] = {"event": _NAMES[kind]}
    for name, optional in _FIELDS[kind]:
        value = getattr(event, name)
        if optional and (value is None or value in ("", ())):
            continue
        found[name] = value if type(value) in {str, float, int, bool} else _plain(value)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Outcome):
        return value.word
    if isinstance(value, (Problem, Measured, ConsoleSlice)):
        return {
            name: _plain(item)
            for name in hints(type(value))
            if (item := getattr(value, name)) is not None and item not in ("", {})
        }
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value


def from_json(found: Mapping[str, Any]) -> Event:
    """Return the event that `to_json` made this of; raise ValueError for an unknown kind."""
    kind = _TYPES.get(found.get("event", ""))
    if kind is None:
        raise ValueError(f"no event {found.get('event')!r}")
    types = hints(kind)
    return kind(**{name: _restored(types[name], value) for name, value in found.items() if name != "event"})


def _restored(hint: Any, value: Any) -> Any:
    if hint is Outcome:
        return Outcome[value.upper()]
    arguments = typing.get_args(hint)
    for record in (Problem, Measured, ConsoleSlice):
        if hint is record or (record in arguments and isinstance(value, dict)):
            return _record(record, value)
        if record in arguments and isinstance(value, list):
            return tuple(_record(record, item) for item in value)
    if isinstance(value, list) and typing.get_origin(hint) is tuple:
        return tuple(value)
    return value


def _record(kind: Callable[..., Any], value: Mapping[str, Any]) -> Any:
    return kind(**value)


def line(event: Event) -> bytes:
    """Return an event as a line of events.jsonl."""
    return (_encode(to_json(event)) + "\n").encode("utf-8", "backslashreplace")


def read(path: Path) -> Iterator[Event]:
    """Go through the events of a file; a last line that was cut off is left out."""
    with path.open(encoding="utf-8") as file:
        for text in file:
            if text.endswith("\n"):
                yield from_json(json.loads(text))
