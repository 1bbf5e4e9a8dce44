"""Lines as YAML counts them, and those that were meant as keys or items but are taken for text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_BREAK = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
_KEY = re.compile(r"\s*([A-Za-z_][\w.-]*):(?!//)(\S.*)")


@dataclass(frozen=True, slots=True)
class WrongLine:
    """A line of a plain scalar: `line` counts from its first one, `column` from 0."""

    line: int
    column: int
    message: str
    hint: str


def lines_of(text: str) -> list[str]:
    """Split a text at YAML's line breaks (YAML 1.1 section 5.4, which libyaml follows)."""
    return _BREAK.split(text)


def wrong_line(lines: Sequence[str]) -> WrongLine | None:
    """Return what is wrong with the lines of a plain scalar, which YAML joins to one text.

    >>> wrong_line(["first item", "   - second item"]).column
    3
    >>> wrong_line(["timeout:5s", "retries:3"]).hint
    'write timeout: 5s'
    """
    for number, line in enumerate(lines):
        match = _KEY.match(line)
        if match and " " not in match[1]:
            hint = f"write {match[1]}: {match[2].rstrip()}"
            return WrongLine(number, match.end(1), "a space is missing after the colon", hint)
        if number and line.lstrip().startswith("- "):
            message = "this item is indented more than the one above, so YAML takes it for more of its text"
            hint = "begin all items of a list in one column; text of several lines begins with | or >"
            return WrongLine(number, len(line) - len(line.lstrip()), message, hint)
    return None
