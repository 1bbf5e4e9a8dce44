"""The tokens of a template, with their places in the text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple


class Token(NamedTuple):
    """A piece of a template: Jinja's kind of it, its text, and how many characters stand before it."""

    kind: str
    text: str
    offset: int


Tag = tuple[Literal["variable", "block"], tuple[Token, ...]]


def tags_of(lexed: Iterable[tuple[int, str, str]], source: str) -> Iterator[Tag]:
    """Group Jinja's tokens by ``{{ … }}`` and ``{% … %}``, without the braces.

    Jinja leaves out the blanks before ``{{-`` and reads any line break as one character,
    so each place is looked for in the source.
    """
    inside: list[Token] | None = None
    offset = 0
    for _line, kind, text in lexed:
        if inside is not None or kind.endswith("_begin"):
            offset = max(source.find(text, offset), offset)
        if kind in {"variable_begin", "block_begin"}:
            inside = []
        elif kind in {"variable_end", "block_end"}:
            yield ("block" if kind == "block_end" else "variable"), tuple(inside or ())
            inside = None
        elif inside is not None and kind != "whitespace":
            inside.append(Token(kind, text, offset))
        offset += len(text)


def words(tags: Iterable[Tag], kind: Literal["filter", "test"]) -> Iterator[Token]:
    """Return each filter (after ``|``) or test (after ``is``) that a template uses."""
    for tag, tokens in tags:
        for index, token in enumerate(tokens):
            if token.kind == "name" and kind_of_word(tag, tokens, index) == kind:
                yield token


def kind_of_word(tag: str, tokens: tuple[Token, ...], index: int) -> Literal["filter", "test", ""]:
    """Tell whether a token is the name of a filter or of a test."""
    before = [each.text for each in tokens[max(index - 2, 0) : index]]
    if before[-1:] == ["|"] or (tag == "block" and index == 1 and before == ["filter"]):
        return "filter"
    if before[-1:] == ["is"]:
        return "" if tokens[index].text == "not" else "test"
    return "test" if before == ["is", "not"] else ""
