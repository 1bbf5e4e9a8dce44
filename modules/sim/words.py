"""Words of the simulated board's shells: text to tokens (POSIX.1-2017, Shell Command Language 2.2 to 2.6)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Union

_OPERATOR = re.compile(r"&&|\|\||;;|[0-2]?>>|[0-2]?>&|[0-2]?>|<|[;|&()\n]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[?$!#@*0-9]")
_BRACED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*|[?$!#@*]|\d+)(?:(:?[-+=?]|##?|%%?)(.*))?", re.DOTALL)
_LENGTH = re.compile(r"#([A-Za-z_][A-Za-z0-9_]*|[@*]|\d+)")
_ENDS_WORD = " \t\n;|&()<>"


class Unfinished(Exception):
    """The text ends inside a quote or a construct: the shell asks for another line."""


class Wrong(Exception):
    """The text is no command; the message is what the shell says."""


@dataclass(frozen=True)
class Text:
    """Characters as they are; `quoted` ones are never split."""

    text: str
    quoted: bool


@dataclass(frozen=True)
class Variable:
    """``$NAME``, ``${NAME}``, and with an operator ``${NAME:-other}``, ``${NAME#other}``.

    ``${#NAME}`` has the operator ``length``.
    """

    name: str
    quoted: bool
    operator: str = ""
    other: Word | None = None


@dataclass(frozen=True)
class Substitution:
    """``$(command)``."""

    source: str
    quoted: bool


@dataclass(frozen=True)
class Arithmetic:
    """``$((expression))``, in which more is replaced first."""

    source: Word
    quoted: bool


Part = Union[Text, Variable, Substitution, Arithmetic]


@dataclass(frozen=True)
class Word:
    """Parts that are written together."""

    parts: tuple[Part, ...]

    @property
    def plain(self) -> str:
        """The text of a word with nothing to replace and nothing quoted, else empty."""
        if all(isinstance(part, Text) and not part.quoted for part in self.parts):
            return "".join(part.text for part in self.parts if isinstance(part, Text))
        return ""


@dataclass(frozen=True)
class Operator:
    """A control or redirection operator."""

    text: str


Token = Union[Word, Operator]


def tokens(text: str) -> list[Token]:
    """Split a command line; raise Unfinished when a quote is open.

    >>> [getattr(token, "plain", "") or token.text for token in tokens("echo a;echo b")]
    ['echo', 'a', ';', 'echo', 'b']
    """
    found: list[Token] = []
    position = 0
    while position < len(text):
        if text[position] in " \t\r":
            position += 1
        elif text.startswith("\\\n", position):
            position += 2
        elif text[position] == "#":
            position = text.find("\n", position) if "\n" in text[position:] else len(text)
        elif match := _OPERATOR.match(text, position):
            found.append(Operator(match[0]))
            position = match.end()
        else:
            parts, position = _word(text, position)
            found.append(Word(tuple(parts)))
    return found


def _word(text: str, position: int, ends: str = _ENDS_WORD) -> tuple[list[Part], int]:
    parts: list[Part] = []
    while position < len(text) and text[position] not in ends:
        character = text[position]
        if character == "'":
            end = _find(text, "'", position + 1)
            parts.append(Text(text[position + 1 : end], quoted=True))
            position = end + 1
        elif character == '"':
            inner, position = _double_quoted(text, position + 1)
            parts += inner
        elif character == "\\":
            if position + 1 == len(text):
                raise Unfinished
            if text[position + 1] != "\n":
                parts.append(Text(text[position + 1], quoted=True))
            position += 2
        elif character in "$`":
            part, position = _expansion(text, position, quoted=False)
            parts.append(part)
        else:
            start = position
            while position < len(text) and text[position] not in ends + "'\"\\$`":
                position += 1
            parts.append(Text(text[start:position], quoted=False))
    return parts, position


def _double_quoted(text: str, position: int) -> tuple[list[Part], int]:
    parts: list[Part] = [Text("", quoted=True)]
    while True:
        if position >= len(text):
            raise Unfinished
        character = text[position]
        if character == '"':
            return parts, position + 1
        if character == "\\" and text[position + 1 : position + 2] in ('"', "\\", "$", "`"):
            parts.append(Text(text[position + 1], quoted=True))
            position += 2
        elif character in "$`":
            part, position = _expansion(text, position, quoted=True)
            parts.append(part)
        else:
            parts.append(Text(character, quoted=True))
            position += 1


def _expansion(text: str, position: int, *, quoted: bool) -> tuple[Part, int]:
    if text[position] == "`":
        end = _find(text, "`", position + 1)
        return Substitution(text[position + 1 : end], quoted), end + 1
    for opening, closing, make in _NESTED:
        if text.startswith(opening, position):
            end = _closing(text, position + len(opening), opening[-1], closing)
            return make(text[position + len(opening) : end], quoted), end + len(closing)
    match = _NAME.match(text, position + 1)
    if match is None:
        return Text("$", quoted), position + 1
    return Variable(match[0], quoted), match.end()


def _braced(source: str, quoted: bool) -> Part:
    length = _LENGTH.fullmatch(source)
    if length is not None:
        return Variable(length[1], quoted, "length")
    match = _BRACED.fullmatch(source)
    if match is None:
        raise Wrong("syntax error: bad substitution")
    other = Word(tuple(_word(match[3], 0, ends="")[0])) if match[2] else None
    return Variable(match[1], quoted, match[2] or "", other)


def _arithmetic(source: str, quoted: bool) -> Part:
    return Arithmetic(Word(tuple(_double_quoted(source.replace('"', "") + '"', 0)[0])), quoted)


_NESTED: tuple[tuple[str, str, Callable[[str, bool], Part]], ...] = (
    ("$((", "))", _arithmetic),
    ("$(", ")", Substitution),
    ("${", "}", _braced),
)


def _find(text: str, wanted: str, start: int) -> int:
    end = text.find(wanted, start)
    if end < 0:
        raise Unfinished
    return end


def _closing(text: str, position: int, opening: str, closing: str) -> int:
    depth = 0
    while position < len(text):
        if text[position] == "'" and opening == "(":
            position = _find(text, "'", position + 1)
        elif not depth and text.startswith(closing, position):
            return position
        elif text[position] == opening:
            depth += 1
        elif text[position] == closing[0]:
            depth -= 1
        position += 1
    raise Unfinished
