"""The grammar of patterns: ``board=rpi4 & !rpi4-03, arm64`` becomes alternatives of terms.

``,`` means or, ``&`` and, ``!`` not; ``&`` binds more tightly than ``,``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


class PatternError(Exception):
    """The text is no pattern; `offset` and `length` say where in it."""

    def __init__(self, message: str, offset: int, length: int = 1, hint: str = "") -> None:
        """Say what is wrong and what to write instead."""
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.length = length
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A name or glob, or a label and its `values`; `negated` turns it round, `excluded` by ``!``."""

    word: str
    offset: int
    values: tuple[str, ...] | None = None
    negated: bool = False
    excluded: bool = False


_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<sign>!=|[,&!()])|(?P<equals>=+)|(?P<word>[\w.*?/@-]*(?:\[[^\]\s]*\][\w.*?/@-]*)+|[\w.*?/@-]+)"
)
_FOREIGN = {
    "and": "write & for and",
    "or": "write , for or",
    "not": "write ! for not",
    "==": "write = to compare a label",
}
_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    offset: int


def parse(text: str) -> tuple[tuple[Term, ...], ...]:
    """Return the alternatives of a pattern, each a tuple of terms that must all hold; raise PatternError."""
    return _Parser(text).alternatives()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._place = 0

    def alternatives(self) -> tuple[tuple[Term, ...], ...]:
        found = [self._terms()]
        while self._take(","):
            found.append(self._terms())
        if self._next is not None:
            raise _unexpected(self._next)
        for terms in found if len(found) > 1 else ():
            if all(term.excluded for term in terms):
                raise _lonely(terms[0], found, self._text)
        return tuple(found)

    def _terms(self) -> tuple[Term, ...]:
        found = [self._term()]
        while self._take("&"):
            found.append(self._term())
        return tuple(found)

    def _term(self) -> Term:
        excluded = self._take("!")
        word = self._word("a name or a label is missing here")
        values, turned = self._comparison(word)
        return Term(
            word=word.text,
            offset=word.offset,
            values=values,
            negated=excluded != turned,
            excluded=excluded,
        )

    def _comparison(self, label: _Token) -> tuple[tuple[str, ...] | None, bool]:
        """Return the values that a label is compared with, and whether it must have none of them."""
        sign = self._next
        if sign is None or sign.text not in {"=", "!=", "in"}:
            return None, False
        if _GLOB.search(label.text):
            raise PatternError("a label is compared by its whole name", label.offset, len(label.text))
        self._place += 1
        if sign.text == "in":
            return self._list(), False
        return (self._value().text,), sign.text == "!="

    def _list(self) -> tuple[str, ...]:
        if not self._take("("):
            raise PatternError("values are missing here", self._offset, hint="write label in (one,other)")
        values = [self._value().text]
        while self._take(","):
            values.append(self._value().text)
        if not self._take(")"):
            raise PatternError("the list of values has no end", self._offset, hint="close it with )")
        return tuple(values)

    def _value(self) -> _Token:
        value = self._word("a value is missing here")
        if _GLOB.search(value.text):
            hint = "write label in (one,other)"
            raise PatternError("values are compared as they are", value.offset, len(value.text), hint)
        return value

    def _word(self, missing: str) -> _Token:
        token = self._next
        if token is None or token.text in {",", "&", "!", "(", ")", "=", "!="}:
            if token is not None and token.text in {"(", "!"}:
                raise _unexpected(token)
            raise PatternError(missing, self._offset)
        if token.text in _FOREIGN:
            raise _unexpected(token)
        self._place += 1
        return token

    def _take(self, sign: str) -> bool:
        if self._next is None or self._next.text != sign:
            return False
        self._place += 1
        return True

    @property
    def _next(self) -> _Token | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    @property
    def _offset(self) -> int:
        return self._next.offset if self._next else len(self._text.rstrip())


def _tokens(text: str) -> Iterator[_Token]:
    offset = 0
    while offset < len(text):
        match = _TOKEN.match(text, offset)
        if match is None:
            hint = {":": "write , for or, & for and", "|": "write , for or"}.get(text[offset], "")
            raise PatternError(f"{text[offset]!r} means nothing in a pattern", offset, hint=hint)
        if match.lastgroup != "space":
            yield _Token(match[0], offset)
        offset = match.end()


def _unexpected(token: _Token) -> PatternError:
    hint = _FOREIGN.get(token.text, "")
    if token.text == "(":
        hint = "parentheses hold the values of 'label in (…)'; & binds more tightly than ,"
    what = f"{token.text!r} cannot stand here"
    return PatternError(what, token.offset, len(token.text), hint or "join names with , (or) & (and) ! (not)")


def _lonely(term: Term, found: list[tuple[Term, ...]], text: str) -> PatternError:
    """Say what ``all,!x`` would mean: everything, or everything but x: that is everything."""
    positive = [terms for terms in found if not all(each.excluded for each in terms)]
    hint = "to leave benches out, write &!"
    if len(found) == 2 and len(positive) == 1:
        hint += ": " + re.sub(r"\s*,\s*!", "&!", text)
    return PatternError("',' means or, so this adds all other benches", term.offset, len(term.word), hint)
