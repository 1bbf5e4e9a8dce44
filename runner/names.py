"""The names that a template takes from outside, with their places in the text.

Jinja's own analysis says which names a template asks for; where each of them stands is
read from its tokens, with the names that the template makes itself left out:
``{% for item in items %}`` asks for `items` only.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from runner.tokens import Tag, Token, kind_of_word

_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_OPENS_SCOPE = frozenset({"for", "macro", "call", "with", "block"})
_OPENS_NONE = frozenset({"if", "filter", "autoescape", "set"})


@dataclass(frozen=True, slots=True)
class NameUse:
    """A name that a text takes from outside, with the fields asked of it (``boot.elapsed``).

    `offset` and `field_offsets` count characters from the beginning of the text.
    `called`: the last field is called as a method.
    """

    name: str
    fields: tuple[str, ...]
    offset: int
    field_offsets: tuple[int, ...] = ()
    called: bool = False


@dataclass(slots=True)
class _Scope:
    """The names made between a tag and its end. `own` is false where Jinja makes no scope: ``{% if %}``."""

    keyword: str
    own: bool
    names: set[str] = field(default_factory=set)


def uses(tags: Iterable[Tag], free: Collection[str]) -> Iterator[NameUse]:
    """Return where each of the names in `free` is taken from outside, in the order of the text."""
    scopes = [_Scope("", own=True)]
    for kind, tokens in tags:
        if kind == "variable":
            yield from _uses(tokens, free, scopes)
        elif tokens:
            yield from _block(tokens[0].text, tokens, free, scopes)


def _block(
    keyword: str, tokens: tuple[Token, ...], free: Collection[str], scopes: list[_Scope]
) -> Iterator[NameUse]:
    if keyword == "for":
        yield from _for(tokens, free, scopes)
    elif keyword == "set":
        yield from _set(tokens, free, scopes)
    elif keyword == "else" and scopes[-1].keyword == "for":
        scopes[-1].names.clear()
    elif keyword.startswith("end") and len(scopes) > 1:
        scopes.pop()
    elif keyword in _OPENS_SCOPE:
        made, kept = _made(keyword, tokens)
        yield from _uses(kept, free, scopes)
        if keyword == "macro":
            _home(scopes).names.add(tokens[1].text)
        scopes.append(_Scope(keyword, own=True, names=made))
    else:
        yield from _uses(tokens[1:], free, scopes)
        if keyword in _OPENS_NONE:
            scopes.append(_Scope(keyword, own=False))


def _for(tokens: tuple[Token, ...], free: Collection[str], scopes: list[_Scope]) -> Iterator[NameUse]:
    middle = _index(tokens, "in", 1)
    made = {token.text for token in tokens[1:middle] if token.kind == "name"}
    condition = _index(tokens, "if", middle)
    end = len(tokens) - 1 if tokens[-1].text == "recursive" else len(tokens)
    yield from _uses(tokens[middle + 1 : min(condition, end)], free, scopes)
    scopes.append(_Scope("for", own=True, names={*made, "loop"}))
    yield from _uses(tokens[condition + 1 : end], free, scopes)


def _set(tokens: tuple[Token, ...], free: Collection[str], scopes: list[_Scope]) -> Iterator[NameUse]:
    equals = _index(tokens, "=", 1)
    targets = tokens[1:equals]
    if any(token.text == "." for token in targets):
        yield from _uses(targets, free, scopes)
    yield from _uses(tokens[equals + 1 :], free, scopes)
    if equals < len(tokens):
        _home(scopes).names.update(token.text for token in targets if token.kind == "name")
        return
    yield from _uses(tokens[2:], free, scopes)
    _home(scopes).names.add(tokens[1].text)
    scopes.append(_Scope("set", own=False))


def _made(keyword: str, tokens: tuple[Token, ...]) -> tuple[set[str], tuple[Token, ...]]:
    """Return the names that a tag makes for its inside, and the tokens that use names from outside."""
    if keyword == "with":
        made = {at.text for at, after in itertools.pairwise(tokens) if after.text == "="}
        return made, tuple(
            token
            for token, after in zip(tokens[1:], (*tokens[2:], Token("", "", 0)), strict=True)
            if after.text != "="
        )
    start = 2 if keyword == "macro" else 1
    if keyword == "block" or start >= len(tokens) or tokens[start].text != "(":
        return {"caller"}, tokens[start:]
    end = _closing(tokens, start)
    inner = tokens[start : end + 1]
    made = {
        token.text
        for before, token in itertools.pairwise(inner)
        if token.kind == "name" and before.text in {"(", ","}
    }
    kept = tuple(token for token in inner if token.text not in made)
    return {*made, "caller", "varargs", "kwargs"}, (*kept, *tokens[end + 1 :])


def _home(scopes: list[_Scope]) -> _Scope:
    """Return the scope that a ``{% set %}`` belongs to."""
    return next(scope for scope in reversed(scopes) if scope.own)


def _index(tokens: tuple[Token, ...], text: str, start: int) -> int:
    """Return where a token stands outside of brackets; the number of tokens when it stands nowhere."""
    depth = 0
    for index in range(start, len(tokens)):
        token = tokens[index].text
        if depth == 0 and token == text:
            return index
        depth += (token in _OPENING) - (token in _CLOSING)
    return len(tokens)


def _closing(tokens: tuple[Token, ...], start: int) -> int:
    depth = 0
    for index in range(start, len(tokens)):
        depth += (tokens[index].text in _OPENING) - (tokens[index].text in _CLOSING)
        if depth == 0:
            return index
    return len(tokens) - 1


def _uses(tokens: tuple[Token, ...], free: Collection[str], scopes: Iterable[_Scope]) -> Iterator[NameUse]:
    made = {name for scope in scopes for name in scope.names}
    for index, token in enumerate(tokens):
        asked = token.kind == "name" and token.text in free and token.text not in made
        if asked and _is_variable(tokens, index):
            fields, places, called = _chain(tokens, index + 1)
            yield NameUse(token.text, fields, token.offset, places, called)


def _is_variable(tokens: tuple[Token, ...], index: int) -> bool:
    before = tokens[index - 1].text if index else ""
    after = tokens[index + 1].text if index + 1 < len(tokens) else ""
    if before == "." or kind_of_word("variable", tokens, index):
        return False
    return after != "=" or before not in {"(", ","}


def _chain(tokens: tuple[Token, ...], index: int) -> tuple[tuple[str, ...], tuple[int, ...], bool]:
    fields: list[Token] = []
    while index + 1 < len(tokens) and tokens[index].text == "." and tokens[index + 1].kind == "name":
        fields.append(tokens[index + 1])
        index += 2
    called = bool(fields) and index < len(tokens) and tokens[index].text == "("
    return tuple(each.text for each in fields), tuple(each.offset for each in fields), called
