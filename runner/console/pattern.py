"""What can be waited for: exact bytes or a regular expression, and when a match of it is final."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Union

if hasattr(re, "_parser"):
    _parser: Any = re._parser  # noqa: SLF001 - Python 3.11 has hidden sre_parse there
else:
    import sre_parse

    _parser = sre_parse

_NEWLINE = 10
_OPEN_ENDS = frozenset({"AT_END", "AT_END_LINE", "AT_END_STRING", "AT_BOUNDARY", "AT_NON_BOUNDARY"})
_REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})


@dataclass(frozen=True)
class Pattern:
    """Something to look for.

    `exact`: these bytes; otherwise `regex` decides. `fixed`: each match has `width` bytes and
    is final as soon as it is there; others are judged when their line is complete or the
    console is quiet, so that the result does not depend on how the bytes were cut.
    `crosses`: a match may go over the end of a line. `literal`: bytes that every match holds.
    """

    name: str
    source: str
    exact: bytes | None = None
    regex: re.Pattern[bytes] | None = None
    fixed: bool = True
    width: int = 0
    crosses: bool = False
    literal: bytes = b""


PatternLike = Union[str, bytes, Pattern]
Patterns = Union[PatternLike, Iterable[PatternLike], Mapping[str, PatternLike]]


def exact(text: str | bytes, name: str = "") -> Pattern:
    """Make a pattern of the very bytes; raise ValueError for none.

    >>> exact("=> ").width
    3
    """
    data = text.encode() if isinstance(text, str) else bytes(text)
    if not data:
        raise ValueError("an empty pattern matches everywhere")
    shown = data.decode("utf-8", "backslashreplace")
    return Pattern(name=name or shown, source=shown, exact=data, width=len(data), literal=data)


def regex(text: str, name: str = "") -> Pattern:
    r"""Make a pattern of a regular expression; ``^`` and ``$`` are the ends of lines. Raise ValueError.

    >>> regex(r"login: ").exact
    b'login: '
    >>> regex(r"\d+ bytes").fixed
    False
    """
    data = text.encode()
    try:
        compiled = re.compile(data, re.MULTILINE)
        parsed = _parser.parse(data, re.MULTILINE)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error
    low, high = parsed.getwidth()
    if low == 0:
        raise ValueError(f"{text!r} matches the empty text, and so everywhere")
    items = list(parsed)
    plain = not parsed.state.flags & re.IGNORECASE
    if plain and all(str(kind) == "LITERAL" for kind, _ in items):
        return exact(bytes(value for _, value in items), name or text)
    dotall = bool(parsed.state.flags & re.DOTALL)
    return Pattern(
        name=name or text,
        source=text,
        regex=compiled,
        fixed=int(low) == int(high) and not _open_ended(items),
        width=min(int(high), 1 << 20),
        crosses=_crosses(items, dotall=dotall),
        literal=_literal(items) if plain else b"",
    )


def as_patterns(given: Patterns) -> tuple[Pattern, ...]:
    """Take text as a regular expression and bytes as themselves; a mapping names them. Raise ValueError."""
    if isinstance(given, (str, bytes, Pattern)):
        return (_as_pattern(given, ""),)
    if isinstance(given, Mapping):
        return tuple(_as_pattern(value, name) for name, value in given.items())
    return tuple(_as_pattern(value, "") for value in given)


def _as_pattern(given: PatternLike, name: str) -> Pattern:
    if isinstance(given, Pattern):
        return given
    return exact(given, name) if isinstance(given, bytes) else regex(given, name)


def _children(kind: str, value: Any) -> list[Any]:
    """Return the sequences inside an item of a parsed expression."""
    if kind == "BRANCH":
        return list(value[1])
    if kind in _REPEATS:
        return [value[2]]
    if kind in ("SUBPATTERN", "ASSERT", "ASSERT_NOT", "GROUPREF_EXISTS"):
        return [part for part in value if hasattr(part, "getwidth")]
    return [value] if hasattr(value, "getwidth") else []


def _open_ended(items: Any) -> bool:
    """Tell whether what follows the match can decide about it."""
    for kind, value in items:
        name = str(kind)
        if name == "AT" and str(value) in _OPEN_ENDS:
            return True
        if name in ("ASSERT", "ASSERT_NOT") and value[0] > 0:
            return True
        if any(_open_ended(child) for child in _children(name, value)):
            return True
    return False


def _crosses(items: Any, *, dotall: bool) -> bool:
    for kind, value in items:
        name = str(kind)
        if name == "LITERAL" and value == _NEWLINE:
            return True
        if name == "NOT_LITERAL" and value != _NEWLINE:
            return True
        if name == "ANY" and dotall:
            return True
        if name == "IN" and _holds_newline(value):
            return True
        inner = dotall or (name == "SUBPATTERN" and bool(value[1] & re.DOTALL))
        if any(_crosses(child, dotall=inner) for child in _children(name, value)):
            return True
    return False


def _holds_newline(members: Any) -> bool:
    negated = str(members[0][0]) == "NEGATE"
    inside = False
    for kind, value in members:
        name = str(kind)
        if name == "LITERAL":
            inside = inside or value == _NEWLINE
        elif name == "RANGE":
            inside = inside or value[0] <= _NEWLINE <= value[1]
        elif name == "CATEGORY":
            inside = inside or str(value) in ("CATEGORY_SPACE", "CATEGORY_NOT_WORD", "CATEGORY_NOT_DIGIT")
    return inside != negated


def _literal(items: Any) -> bytes:
    """Return the longest bytes that stand in every match."""
    best = run = b""
    for kind, value in items:
        name = str(kind)
        if name == "LITERAL":
            run += bytes([value])
            best = max(best, run, key=len)
            continue
        run = b""
        if name == "SUBPATTERN" and not value[1]:
            best = max(best, _literal(value[3]), key=len)
        elif name in _REPEATS and value[0] > 0:
            best = max(best, _literal(value[2]), key=len)
    return best
