"""Faults of the input as a person reads them: place, message, the line, a caret, what to do."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from runner.errors import Fault, Location
from runner.report.characters import shown
from runner.report.colours import Paint

MOST = 20
_WIDEST = 160
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line of YAML: `str.splitlines` knows more, and would count differently."""
_SECRET = re.compile(r"(?<=!secret)(\s+)(\S.*)")


def render(faults: Sequence[Fault], *, color: bool) -> str:
    """Return the text for at most 20 faults, and how many more there are."""
    paint = Paint(on=color)
    blocks = ["\n".join(_block(fault, paint)) + "\n" for fault in faults[:MOST]]
    if len(faults) > MOST:
        blocks.append(f"… and {len(faults) - MOST} more\n")
    return shown("".join(blocks), coloured=color)


def as_json(faults: Sequence[Fault]) -> str:
    """Return the faults for tools: one object with a list."""
    return json.dumps({"faults": [_object(fault) for fault in faults]})


def _object(fault: Fault) -> dict[str, object]:
    at = fault.at
    place = {"path": at.path, "line": at.line, "column": at.column, "length": at.length} if at else {}
    chain = [{"what": what, "at": str(where)} for what, where in fault.chain]
    found: dict[str, object] = {"code": fault.code, "message": fault.message, "hint": fault.hint, **place}
    return {**found, "chain": chain} if chain else found


def _block(fault: Fault, paint: Paint) -> Iterator[str]:
    place = f"{fault.at}: " if fault.at else ""
    yield f"{paint('bold', place)}{paint('red', f'error[{fault.code}]')}: {fault.message}"
    source = _source(fault.at)
    if source is not None and fault.at is not None:
        yield from _quoted(source, fault.at, fault.hint, paint)
    elif fault.hint:
        yield f"  hint: {paint('cyan', fault.hint)}"
    yield from (f"  {what} at {where}" for what, where in fault.chain)


def _quoted(source: str, at: Location, hint: str, paint: Paint) -> Iterator[str]:
    """Quote the line, of a very long one the part around the place, with carets under it."""
    first = max(0, at.column - 1 - _WIDEST // 2) if len(source) > _WIDEST else 0
    line = source[first : first + _WIDEST]
    dots = "…" if first else ""
    place = at.column - 1 - first
    before = dots + line[:place]
    marked = line[place : place + max(1, at.length)]
    more = "…" if first + _WIDEST < len(source) else ""
    carets = paint("red", "^" * max(1, _width(marked)))
    yield f"{str(at.line).rjust(5)} | {_visible(dots + line + more)}"
    yield f"      | {_blank(before)}{carets}" + (f" {paint('cyan', hint)}" if hint else "")


def _source(at: Location | None) -> str | None:
    if at is None or not at.path:
        return None
    try:
        text = Path(at.path).read_bytes().decode("utf-8-sig", "replace")
    except OSError:
        return None
    lines = _LINE_END.split(text)
    return _SECRET.sub(_hidden, lines[at.line - 1]) if 0 < at.line <= len(lines) else None


def _hidden(match: re.Match[str]) -> str:
    """Hide a secret, and keep what follows it in the line in its place."""
    return match[1] + "*" * len(match[2])


def _visible(text: str) -> str:
    """Return text in which each control character is one that can be seen, so that columns stay right."""
    return "".join("\ufffd" if _is_control(each) else each for each in text)


def _is_control(character: str) -> bool:
    return character != "\t" and shown(character) != character


def _blank(text: str) -> str:
    return "".join("\t" if each == "\t" else " " * _width(each) for each in text)


def _width(text: str) -> int:
    """Return how many columns text takes on a terminal (Unicode Standard Annex 11)."""
    return sum(_columns(each) for each in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
