"""The table of operations: what stands in it exists, and each test in it names what it is there for."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

import pytest
from support.named import made_of, there
from support.peers import ROOT

from runner.cli.main import COMMANDS
from runner.declaration import DriverType, Verb
from runner.registry import Registry

_PAGE = ROOT / "docs" / "reference" / "operations.md"
_ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in _PAGE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| operation |")
]
_KNOWN = Registry.only_built_in()
_LANGUAGE = {"assert", "fail", "log", "set", "skip", "wait"}
"""Verbs of recipes themselves: no operation of an instrument."""
_CODE = re.compile(r"`([^`]+)`")
_ARGUMENT = re.compile(r"(?<![\w.])(\w+)(?=:)")
_RESULT = re.compile(r"\bresult\.(\w+)")
_GIVEN = r"(?<![\w-]){}[\"']?\s*[:=]"
"""An argument that a step or a test gives: ``within: 5s``, ``within=``, ``"within":``."""
_OPTION = re.compile(r"-[a-z-]+")


class Span:
    """A piece of code in the column of recipes: what it asks for, and which words show that a test does it.

    ``verb``, ``verb argument: value``, ``verb result.field``, ``driver: name``, ``driver: name, option: value``,
    ``runner command --option``; anything else in an inventory or a recipe is a word and a colon.
    """

    def __init__(self, text: str) -> None:
        """Take it apart."""
        self.text = text
        self.head = re.split(r"[\s:,]", text, maxsplit=1)[0]
        self.rest = text[len(self.head) :]

    @property
    def verb(self) -> str:
        """The verb that it calls, if it calls one."""
        return "" if self.head in {"driver", "runner"} or self.rest.startswith(":") else self.head

    def unknown(self) -> Iterator[str]:
        """Return what there is not."""
        if self.head == "driver":
            name = re.findall(r"\w+", self.text)[1]
            yield from _missing(name, _KNOWN.driver(name), _ARGUMENT.findall(self.rest.partition(",")[2]))
        elif self.head == "runner":
            command = self.rest.split()[0]
            yield from [] if command in COMMANDS else [self.text]
        elif self.verb:
            yield from _missing(self.verb, _KNOWN.verb(self.verb), _ARGUMENT.findall(self.rest))
            found = _KNOWN.verb(self.verb)
            fields = _fields(found.result) if found else set()
            yield from (each for each in _RESULT.findall(self.rest) if each not in fields)

    def unnamed(self, source: str) -> Iterator[str]:
        """Return what the source does not name."""
        rest = self.rest.partition(",")[2] if self.head == "driver" else self.rest
        given = (each for each in _ARGUMENT.findall(rest) if not re.search(_GIVEN.format(each), source))
        read = (each for each in _RESULT.findall(rest) if not re.search(rf"\.{each}\b", source))
        yield from (*given, *read, *(each for each in _OPTION.findall(rest) if not _named(source, each)))
        if not _named(source, *self._names()):
            yield self.text

    def _names(self) -> tuple[str, ...]:
        """Return the words for what does it, of which a test needs one: its name, or that of its class."""
        if self.head == "driver":
            name = re.findall(r"\w+", self.text)[1]
            driver = _KNOWN.driver(name)
            return (name, driver.cls.__name__) if driver else (name,)
        if self.head == "runner":
            return (self.rest.split()[0],)
        verb = _KNOWN.verb(self.verb) if self.verb else None
        return (self.head, verb.cls.__name__) if verb else (self.head,)


def _named(source: str, *words: str) -> bool:
    return any(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", source) for word in words)


def _missing(name: str, found: Verb | DriverType | None, arguments: list[str]) -> Iterator[str]:
    if found is None:
        yield name
    else:
        known = {*found.parameters, *(each.name for each in found.slots), "device"}
        yield from (f"{name} {each}" for each in arguments if each not in known)


def _fields(result: type | None) -> set[str]:
    return {each.name for each in dataclasses.fields(result)} if dataclasses.is_dataclass(result) else set()


def _spans(row: list[str]) -> list[Span]:
    return [Span(text) for text in _CODE.findall(row[1])]


@pytest.mark.parametrize("row", _ROWS, ids=lambda row: row[0])
def test_an_operation_has_what_does_it_and_a_test_that_names_that(row: list[str]) -> None:
    operation, recipe, tests = row
    places = [each.partition("::") for each in _CODE.findall(tests)]
    spans = _spans(row)

    assert operation
    assert spans, recipe
    assert [each for span in spans for each in span.unknown()] == []
    assert places, tests
    assert [f"{path}::{name}" for path, _, name in places if not there(path, name)] == []
    source = "\n".join(made_of(path, name) for path, _, name in places)
    assert [each for span in spans for each in span.unnamed(source)] == []


def test_every_verb_has_an_operation() -> None:
    named = {span.verb for row in _ROWS for span in _spans(row)}

    assert set(_KNOWN.verb_names()) - _LANGUAGE - named == set()


def test_no_operation_stands_there_twice() -> None:
    heads = [(section, row) for section, row in _sections()]
    assert [each for each in heads if heads.count(each) > 1] == []


def _sections() -> Iterator[tuple[str, str]]:
    """Return each operation with the heading that it stands under."""
    section = ""
    for line in _PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line
        elif line.startswith("| "):
            yield section, line.strip("|").split("|")[0].strip()
