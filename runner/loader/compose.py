"""Turns the events of YAML's parser into nodes: keys unique, aliases followed, tags resolved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

from runner.document import Entry, ListNode, MapNode, Node, Scalar
from runner.errors import Fault, Faults, InputError, Location, did_you_mean
from runner.loader.lines import lines_of, wrong_line
from runner.loader.quoting import unquoted_template
from runner.loader.scalars import core_value, is_ambiguous
from runner.loader.tags import Tags

MAX_DEPTH = 64
MAX_NODES = 200_000
"""How many values a file may have once its aliases are followed: more is a mistake or an attack."""

_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "<<"


@dataclass(slots=True)
class _Open:
    """A collection whose end has not been reached; `key` is the one that waits for its value."""

    event: Any
    is_map: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    merged: list[Node] = field(default_factory=list)
    key: Scalar | None = None
    expects_key: bool = True
    templated: bool = False
    size: int = 1


class Composer:
    """Makes nodes of one text. `path` is what locations show."""

    def __init__(self, path: str, tags: Tags, faults: Faults) -> None:
        """Note in `faults` what is wrong."""
        self._path = path
        self._tags = tags
        self._faults = faults
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._open: list[_Open] = []
        self._count = 0
        self._root: Node | None = None
        self._text = ""

    @property
    def bracket(self) -> tuple[int, int] | None:
        """Line and column, from 0, of the innermost bracket whose end has not been reached."""
        marks = (each.event.start_mark for each in reversed(self._open) if each.event.flow_style)
        return next(((mark.line, mark.column) for mark in marks), None)

    def compose(self, text: str) -> Node | None:
        """Return the root of the one document in a text, or None when it is empty.

        Raises yaml.YAMLError when the text is no YAML, InputError when it is too large.
        """
        self._text = text
        parser = _PARSER(text)
        try:
            self._document(parser.get_event)
        finally:
            parser.dispose()
        return self._root

    def _document(self, next_event: Callable[[], Any]) -> None:
        while True:
            event = next_event()
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self._put(self._scalar(event), 1)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self._begin(event, is_map=kind is yaml.MappingStartEvent)
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._end(event)
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent and self._root is not None:
                raise InputError([self._fault("E101", "a second document begins here", event, _ONE_DOCUMENT)])
            elif kind is yaml.StreamEndEvent:
                return

    def _begin(self, event: Any, *, is_map: bool) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise InputError([self._fault("E105", f"nested deeper than {MAX_DEPTH} levels", event)])
        self._open.append(_Open(event, is_map))

    def _end(self, event: Any) -> None:
        done = self._open.pop()
        at = self._place(done.event.start_mark, event.end_mark)
        node: Node = (
            self._mapping(done, at) if done.is_map else ListNode(at, tuple(done.items), done.templated)
        )
        begun = done.event
        if begun.tag is not None:
            node = self._tags.resolve(begun.tag, node)
        if begun.anchor is not None:
            self._remember(begun, node, done.size)
        self._put(node, done.size)

    def _put(self, node: Node, size: int) -> None:
        """Give a node to the collection it stands in."""
        self._count += 1
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        parent.size += size
        if parent.size > MAX_NODES or self._count > MAX_NODES:
            message = f"more than {MAX_NODES} values once aliases are followed"
            raise InputError([Fault(code="E106", message=message, at=node.at)])
        if not parent.is_map:
            parent.items.append(node)
            parent.templated = parent.templated or node.templated
        elif parent.expects_key:
            parent.expects_key = False
            parent.key = self._key(node)
        else:
            parent.expects_key = True
            self._enter(parent, node)

    # --- scalars and aliases ---------------------------------------------------------------------

    def _scalar(self, event: Any) -> Scalar:
        text, start, end = event.value, event.start_mark, event.end_mark
        line, column = start.line, start.column
        one_line = end.line == line
        length = end.column - column if one_line else 1
        at = Location(self._path, line + 1, column + 1, length if length > 0 else 1)
        if event.style or event.tag == "!":
            node = Scalar(at, text, text, quoted=True)
        else:
            if not one_line:
                self._check_lines(event)
            value = core_value(text)
            if text[:1] in _ZERO_START and is_ambiguous(text):
                self._say_ambiguous(text, at)
                value = text
            node = Scalar(at, value, text)
        if event.tag is not None:
            node = self._tags.resolve(event.tag, node)
        if event.anchor is not None:
            self._remember(event, node, 1)
        return node

    def _check_lines(self, event: Any) -> None:
        """Note a line of a plain scalar that was not meant as text."""
        start = event.start_mark
        lines = lines_of(self._text)[start.line : event.end_mark.line + 1]
        found = wrong_line([lines[0][start.column :], *lines[1:]])
        if found is not None:
            column = found.column if found.line else start.column + found.column
            at = Location(self._path, start.line + found.line + 1, column + 1)
            self._faults.add("E101", found.message, at=at, hint=found.hint)

    def _say_ambiguous(self, text: str, at: Location) -> None:
        digits = text.lstrip("+-0") or "0"
        octal = f"0o{digits} for an octal number, " if not set(digits) & {"8", "9"} else ""
        hint = f'write {octal}{digits} for a decimal one, "{text}" for text'
        self._faults.add("E103", f"{text} starts with a zero: a number or text?", at=at, hint=hint)

    def _remember(self, event: Any, node: Node, size: int) -> None:
        before = self._anchors.get(event.anchor)
        if before is not None:
            message = f"the anchor &{event.anchor} is here twice; first at {before[0].at}"
            self._faults.add("E102", message, at=self._mark(event.start_mark))
        self._anchors[event.anchor] = (node, size)

    def _alias(self, event: Any) -> None:
        name = event.anchor
        if name in self._anchors:
            self._put(*self._anchors[name])
            return
        at = self._place(event.start_mark, event.end_mark)
        if any(each.event.anchor == name for each in self._open):
            message, hint = f"*{name} stands inside &{name}: it would hold itself", ""
        else:
            hint = did_you_mean(name, self._anchors) or f"write &{name} before the value that is meant"
            message = f"there is no anchor &{name} above"
        self._faults.add("E101", message, at=at, hint=hint)
        self._put(Scalar(at, None, ""), 1)

    # --- mappings --------------------------------------------------------------------------------

    def _key(self, node: Node) -> Scalar | None:
        if isinstance(node, Scalar):
            return node
        begun = self._open[-1].event
        line = begun.start_mark.line
        found = unquoted_template(lines_of(self._text)[line]) if begun.flow_style else None
        if found is None:
            self._faults.add("E104", "a key is a single word or text", at=node.at)
        else:
            at = Location(self._path, line + 1, found.column + 1, found.length)
            self._faults.add("E101", "the value starts with {{: quote it", at=at, hint=f"write {found.line}")
        return None

    def _enter(self, parent: _Open, node: Node) -> None:
        key, parent.key = parent.key, None
        if key is None:
            return
        if key.text == _MERGE and not key.quoted:
            self._merge(parent, key, node)
            return
        before = parent.entries.get(key.text)
        if before is not None:
            self._faults.add("E102", f"{key.text!r} is here twice; first at {before.key.at}", at=key.at)
            return
        parent.entries[key.text] = Entry(key, node)
        parent.templated = parent.templated or node.templated or key.templated

    def _merge(self, parent: _Open, key: Scalar, node: Node) -> None:
        if parent.merged:
            self._faults.add("E102", "'<<' is here twice", at=key.at, hint="write <<: [*one, *other]")
        for source in node.items if isinstance(node, ListNode) else (node,):
            if isinstance(source, MapNode):
                parent.merged.append(source)
                parent.templated = parent.templated or source.templated
            else:
                self._faults.add("E107", "<<: merges a mapping, or a list of them", at=source.at)

    def _mapping(self, done: _Open, at: Location) -> MapNode:
        if not done.merged:
            return MapNode(at, tuple(done.entries.values()), done.templated)
        entries: dict[str, Entry] = {}
        for source in done.merged:
            for entry in source if isinstance(source, MapNode) else ():
                entries.setdefault(entry.key.text, entry)
        entries.update(done.entries)
        return MapNode(at, tuple(entries.values()), done.templated)

    # --- places ----------------------------------------------------------------------------------

    def _mark(self, mark: Any, length: int = 1) -> Location:
        return Location(self._path, mark.line + 1, mark.column + 1, length)

    def _place(self, start: Any, end: Any) -> Location:
        length = end.column - start.column if end.line == start.line else 1
        return Location(self._path, start.line + 1, start.column + 1, max(1, length))

    def _fault(self, code: str, message: str, event: Any, hint: str = "") -> Fault:
        return Fault(code=code, message=message, at=self._mark(event.start_mark), hint=hint)


_ONE_DOCUMENT = "a file holds one: write a list of plays, or two files"
_ZERO_START = frozenset("0+-")
