"""Puts the documents of an inventory together: ranges written out, what later files say merged in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from runner.document import Entry, ListNode, MapNode, Node, Scalar
from runner.errors import Faults, Location
from runner.inventory import words
from runner.inventory.fields import check_name, check_variable_name, is_nothing, known_keys, mapping
from runner.inventory.ranges import expand
from runner.inventory.sources import Source
from runner.model import Definition


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What is written under one name, by all documents together."""

    name: str
    index: int
    at: Location
    node: MapNode


@dataclass(frozen=True, slots=True)
class Written:
    """Everything that is written, by name, in the order in which it first appears."""

    hosts: dict[str, Piece] = field(default_factory=dict)
    benches: dict[str, Piece] = field(default_factory=dict)
    groups: dict[str, Piece] = field(default_factory=dict)
    variables: list[Definition] = field(default_factory=list)


_JOINED: Mapping[str, Collection[str]] = {
    "host": (),
    "bench": ("labels", "vars", "devices"),
    "group": ("benches", "groups", "vars"),
}
"""Keys whose parts are put together when a name is written again; any other key is replaced."""


def gather(sources: Iterable[Source], faults: Faults) -> Written:
    """Put documents together; later ones add to earlier ones, and win where both say something."""
    written = Written()
    for source in sources:
        document = mapping(source.node, "an inventory", faults)
        if document is not None:
            _take_in(document, written, faults)
    return written


def _take_in(document: MapNode, written: Written, faults: Faults) -> None:
    known_keys(document, words.INVENTORY, "an inventory", faults)
    _named(document.get("hosts"), "host", written.hosts, faults)
    _named(document.get("benches"), "bench", written.benches, faults)
    _named(document.get("groups"), "group", written.groups, faults)
    written.variables.extend(definitions(document.get("vars"), "inventory vars", faults))


def definitions(node: Node | None, layer: str, faults: Faults) -> tuple[Definition, ...]:
    """Read ``vars:``."""
    read = mapping(node, "vars", faults)
    if read is None:
        return ()
    for entry in read:
        check_variable_name(entry.key, faults)
    return tuple(Definition(name=entry.key.text, node=entry.value, layer=layer) for entry in read)


def _named(node: Node | None, kind: str, pieces: dict[str, Piece], faults: Faults) -> None:
    read = mapping(node, f"{kind}es" if kind == "bench" else f"{kind}s", faults)
    for entry in read or ():
        body = _body(entry, kind, faults)
        if body is None:
            continue
        try:
            names = expand(entry.key.text)
        except ValueError as error:
            faults.add("E404", str(error), at=entry.key.at)
            continue
        for name in names:
            if check_name(name.text, kind, entry.key.at, faults):
                piece = Piece(name=name.text, index=name.index, at=entry.key.at, node=body)
                before = pieces.get(name.text)
                pieces[name.text] = piece if before is None else _joined(before, piece, _JOINED[kind])


def _body(entry: Entry, kind: str, faults: Faults) -> MapNode | None:
    if is_nothing(entry.value):
        return MapNode(entry.value.at, (), templated=False)
    return mapping(entry.value, f"{kind} {entry.key.text!r}", faults)


def _joined(first: Piece, second: Piece, joined: Collection[str]) -> Piece:
    entries = {entry.key.text: entry for entry in first.node}
    for entry in second.node:
        before = entries.get(entry.key.text)
        if before is not None and entry.key.text in joined:
            entries[entry.key.text] = Entry(entry.key, _together(before.value, entry.value))
        else:
            entries[entry.key.text] = entry
    node = MapNode(second.node.at, tuple(entries.values()), first.node.templated or second.node.templated)
    index = first.index if second.index == 1 else second.index
    return Piece(name=first.name, index=index, at=first.at, node=node)


def _together(first: Node, second: Node) -> Node:
    if isinstance(first, MapNode) and isinstance(second, MapNode):
        entries = {entry.key.text: entry for entry in (*first, *second)}
        return MapNode(second.at, tuple(entries.values()), first.templated or second.templated)
    if isinstance(first, MapNode) or isinstance(second, MapNode):
        return first if is_nothing(second) else second
    return ListNode(second.at, (*_items(first), *_items(second)), first.templated or second.templated)


def _items(node: ListNode | Scalar) -> tuple[Node, ...]:
    if isinstance(node, ListNode):
        return node.items
    return () if is_nothing(node) else (node,)
