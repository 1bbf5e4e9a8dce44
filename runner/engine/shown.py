"""Values as they are shown: as JSON, and cut to a readable size that says so."""

from __future__ import annotations

from typing import Any

from runner.api.codec import encode

_TEXT = 2000
_ITEMS = 100


def brief(value: Any, width: int = _TEXT) -> Any:
    """Return a value for JSON, with long texts and lists cut in the middle.

    >>> brief("x" * 30, 20)
    'xxxxxxxx… 14 more …xxxxxxxx'
    """
    try:
        return _cut(encode(value), width)
    except TypeError:
        return _cut(str(value), width)


def _cut(value: Any, width: int) -> Any:
    if isinstance(value, str):
        return _middle(value, width)
    if isinstance(value, dict):
        return {key: _cut(item, width) for key, item in value.items()}
    if isinstance(value, list):
        kept = [_cut(item, width) for item in value[:_ITEMS]]
        return kept if len(value) <= _ITEMS else [*kept, f"… {len(value) - _ITEMS} more"]
    return value


def _middle(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    half = max(1, width * 2 // 5)
    return f"{text[:half]}… {len(text) - 2 * half} more …{text[-half:]}"
