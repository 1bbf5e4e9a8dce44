"""YAML's own errors, in words that say what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml

from runner.errors import Fault, Location
from runner.loader.lines import lines_of
from runner.loader.quoting import quoted, unquoted_template, without_comment

_KEY_VALUE = re.compile(r"^(\s*(?:- +)*)([\w.-]+|\"[^\"]*\"|'[^']*'):\s+(.*)$")
_NO_SPACE = re.compile(r"^\s*(?:- +)*[\w.-]+(:)(?!//)[^\s:]")
_CLOSING = {"[": "]", "{": "}"}
_SPACES = re.compile(r"[ ]*")


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where YAML gave up, and where it began what it could not finish; both count from 0."""

    path: str
    lines: list[str]
    line: int
    column: int
    problem: str
    context: str
    began: tuple[int, int] | None
    bracket: tuple[int, int] | None

    def source(self, line: int) -> str:
        return self.lines[line] if 0 <= line < len(self.lines) else ""

    @property
    def here(self) -> str:
        return self.source(self.line)

    def at(self, line: int, column: int, length: int = 1) -> Location:
        return Location(self.path, line + 1, column + 1, max(1, length))

    def fault(self, message: str, at: Location, hint: str = "") -> Fault:
        return Fault(code="E101", message=message, at=at, hint=hint)


def syntax_fault(
    error: yaml.MarkedYAMLError, text: str, path: str, bracket: tuple[int, int] | None = None
) -> Fault:
    """Return an error of YAML's parser as a fault of ours, with the corrected line where one can be made.

    `bracket`: line and column, from 0, of the innermost bracket that was open.
    """
    mark: Any = error.problem_mark or error.context_mark
    began: Any = error.context_mark
    spot = _Spot(
        path=path,
        lines=lines_of(text),
        line=mark.line,
        column=mark.column,
        problem=error.problem or "not valid YAML",
        context=error.context or "",
        began=(began.line, began.column) if began else None,
        bracket=bracket,
    )
    found = (diagnose(spot) for diagnose in _DIAGNOSES)
    return next((fault for fault in found if fault is not None), _as_yaml_says(spot))


def character_fault(error: Exception, text: str, path: str) -> Fault:
    """Return the fault for a character that YAML does not allow."""
    wrong = next((match for match in _FORBIDDEN.finditer(text)), None)
    if wrong is None:
        return Fault(code="E101", message=str(error), at=Location(path, 1, 1))
    before = lines_of(text[: wrong.start()])
    message = f"the character U+{ord(wrong[0]):04X} is not allowed in YAML"
    at = Location(path, len(before), len(before[-1]) + 1)
    code = ord(wrong[0])
    escape = f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    half = 0xD800 <= code < 0xE000
    hint = "it is half of a character" if half else f'write "{escape}" in double quotes'
    return Fault(code="E101", message=message, at=at, hint=hint)


_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _template(spot: _Spot) -> Fault | None:
    for line in dict.fromkeys((spot.line, spot.began[0] if spot.began else spot.line)):
        found = unquoted_template(spot.source(line))
        if found is not None:
            at = spot.at(line, found.column, found.length)
            return spot.fault("the value starts with {{: quote it", at, f"write {found.line}")
    return None


def _tab(spot: _Spot) -> Fault | None:
    if spot.here[spot.column : spot.column + 1] != "\t" and "\t" not in _indent(spot.here):
        return None
    column = spot.here.index("\t")
    tabs = len(spot.here[column:]) - len(spot.here[column:].lstrip("\t"))
    what = "indented with a tab" if not spot.here[:column].strip() else "a tab where spaces belong"
    return spot.fault(
        f"{what}: YAML wants spaces", spot.at(spot.line, column, tabs), "let your editor insert spaces"
    )


def _open_quote(spot: _Spot) -> Fault | None:
    if "quoted scalar" not in spot.context or spot.began is None:
        return None
    if "end of stream" in spot.problem or "document indicator" in spot.problem:
        quote = spot.source(spot.began[0])[spot.began[1] : spot.began[1] + 1]
        return spot.fault(f"the quote {quote} is not closed", spot.at(*spot.began), f"close it with {quote}")
    if "escape" not in spot.problem and "hexdecimal" not in spot.problem:
        return None
    column = max(0, spot.here.rfind("\\", 0, spot.column + 1))
    written = spot.here[column : column + 2]
    hint = "in single quotes, and in no quotes, a backslash is a backslash"
    return spot.fault(f"{written} means nothing here", spot.at(spot.line, column, len(written)), hint)


def _after_quote(spot: _Spot) -> Fault | None:
    before = spot.here[: spot.column].rstrip()
    if not before or before[-1] not in "'\"" or "did not find expected" not in spot.problem:
        return None
    quote, other = before[-1], "'" if before[-1] == '"' else '"'
    inside = "''" if quote == "'" else '\\"'
    hint = (
        f"quote all of it with {other}, or write {inside} for a quote inside; or a quote above is not closed"
    )
    return spot.fault("the value goes on after its closing quote", spot.at(spot.line, spot.column), hint)


def _closes_nothing(spot: _Spot) -> Fault | None:
    sign = spot.here[spot.column : spot.column + 1]
    if sign not in {"]", "}"} or "did not find expected key" not in spot.problem:
        return None
    return spot.fault(
        f"this {sign} closes nothing", spot.at(spot.line, spot.column), "quote the value if it is text"
    )


def _open_bracket(spot: _Spot) -> Fault | None:
    if "flow" not in spot.context or spot.bracket is None or "did not find expected" not in spot.problem:
        return None
    line, column = spot.bracket
    match = re.compile(r"[\[{]").search(spot.source(line), column)
    if match is None:
        return None
    bracket, column = match[0], match.start()
    closing = _CLOSING[bracket]
    if spot.line == line:
        message = f"a ',' or {closing!r} is missing here"
        return spot.fault(message, spot.at(spot.line, spot.column), "quote the value if it is text")
    return spot.fault(f"this {bracket} is not closed", spot.at(line, column), f"close it with {closing}")


def _colon_without_space(spot: _Spot) -> Fault | None:
    if "could not find expected ':'" not in spot.problem or spot.began is None:
        return None
    line = spot.began[0]
    source = spot.source(line)
    match = _NO_SPACE.match(source)
    if match is None:
        hint = "write key: value; text of several lines begins with | or >, and is indented"
        return spot.fault(
            "this line is no 'key: value'", spot.at(line, spot.began[1], len(source.strip())), hint
        )
    column = match.start(1)
    hint = f"write {source[: column + 1].strip()} {source[column + 1 :].strip()}"
    return spot.fault("a space is missing after the colon", spot.at(line, column), hint)


def _colon_in_value(spot: _Spot) -> Fault | None:
    if "mapping values are not allowed" not in spot.problem:
        return None
    match = _KEY_VALUE.match(spot.here)
    if match and match.end(2) < spot.column:
        value = without_comment(match[3])
        hint = f"write {match[2]}: {quoted(value)}"
        return spot.fault(
            "the value holds ': ': quote it", spot.at(spot.line, match.start(3), len(value)), hint
        )
    above = next((line for line in reversed(spot.lines[: spot.line]) if without_comment(line)), "")
    hint = f"the line above has a value and is indented by {_width(above)}, this one by {_width(spot.here)}"
    return spot.fault("wrong indentation", spot.at(spot.line, _width(spot.here)), hint)


def _dash_after_key(spot: _Spot) -> Fault | None:
    if "block sequence entries are not allowed" not in spot.problem:
        return None
    hint = "begin the list on the next line, or write [one, other]"
    return spot.fault("a list cannot begin behind its key", spot.at(spot.line, spot.column), hint)


def _dash_missing(spot: _Spot) -> Fault | None:
    if "did not find expected '-' indicator" not in spot.problem:
        return None
    first = spot.began[0] + 1 if spot.began else 1
    hint = f"the items of the list that begins at line {first} stand in one column, each behind '- '"
    return spot.fault("this is no item of the list above", spot.at(spot.line, spot.column), hint)


def _indentation(spot: _Spot) -> Fault | None:
    if "block mapping" not in spot.context or "did not find expected key" not in spot.problem:
        return None
    if spot.here[: spot.column].strip() or spot.began is None:
        return None
    hint = f"the keys of the mapping that begins at line {spot.began[0] + 1} are indented by {spot.began[1]}"
    item = spot.here.lstrip().startswith("- ")
    message = "a list item stands among the keys of a mapping" if item else "wrong indentation"
    return spot.fault(message, spot.at(spot.line, spot.column), hint)


def _first_character(spot: _Spot) -> Fault | None:
    if "cannot start any token" not in spot.problem:
        return None
    sign = spot.here[spot.column : spot.column + 1]
    value = without_comment(spot.here[spot.column :])
    hint = f"write {(spot.here[: spot.column] + quoted(value)).strip()}"
    return spot.fault(
        f"a value cannot begin with {sign}: quote it", spot.at(spot.line, spot.column, len(value)), hint
    )


def _as_yaml_says(spot: _Spot) -> Fault:
    context = f" {spot.context}" if spot.context else ""
    return spot.fault(f"{spot.problem}{context}", spot.at(spot.line, spot.column))


def _indent(source: str) -> str:
    return source[: len(source) - len(source.lstrip())]


def _width(source: str) -> int:
    match = _SPACES.match(source)
    return match.end() if match else 0


_DIAGNOSES: tuple[Callable[[_Spot], Fault | None], ...] = (
    _template,
    _tab,
    _open_quote,
    _after_quote,
    _closes_nothing,
    _open_bracket,
    _colon_without_space,
    _colon_in_value,
    _dash_after_key,
    _dash_missing,
    _indentation,
    _first_character,
)
