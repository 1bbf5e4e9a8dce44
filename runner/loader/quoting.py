"""Values that need quotes, and the line as it should have been written."""

from __future__ import annotations

import re
from dataclasses import dataclass

_START = re.compile(r"(?:^|[:\-,\[{])\s*(\{\{)")
_TEMPLATE = re.compile(r"\{\{.*?\}\}")
_COMMENT = re.compile(r"\s+#.*$")


@dataclass(frozen=True, slots=True)
class Unquoted:
    """A value that begins with ``{{``: its column, from 0, its length, and the line with quotes."""

    column: int
    length: int
    line: str


def unquoted_template(source: str) -> Unquoted | None:
    """Return the first value of a line that begins with ``{{``, or None.

    >>> unquoted_template("image: {{ folder }}/a.img  # nightly").line
    'image: "{{ folder }}/a.img"  # nightly'
    """
    match = _START.search(source)
    if match is None:
        return None
    start = match.start(1)
    value = source[start : _end_of_value(source, start)]
    line = (source[:start] + quoted(value) + source[start + len(value) :]).strip()
    return Unquoted(start, len(value), line)


def _end_of_value(source: str, start: int) -> int:
    """Return where a value ends: at a comma or bracket when it stands inside brackets, else with the line."""
    if not re.search(r"[\[{]", _TEMPLATE.sub("", source[:start])):
        return len(without_comment(source))
    template = _TEMPLATE.match(source, start)
    end = template.end() if template else len(source)
    inside = re.compile(r"[^,\]}]*").match(source, end)
    return inside.end() if inside else end


def quoted(value: str) -> str:
    """Put a value into quotes: double ones where nothing has to be escaped for them.

    >>> print(quoted('say "hi"'), quoted("it's"))
    'say "hi"' "it's"
    """
    if '"' not in value and "\\" not in value:
        return f'"{value}"'
    return "'" + value.replace("'", "''") + "'"


def without_comment(source: str) -> str:
    """Return a line without the comment at its end."""
    return _COMMENT.sub("", source).rstrip()
