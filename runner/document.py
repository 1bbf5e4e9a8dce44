"""YAML 1.2 with locations: text becomes nodes, and every node knows where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runner.errors import Location

Plain = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. `text` is its source text; `quoted` tells ``"1.10"`` from ``1.10``.

    `secret`: came through ``!secret``. `literal`: came from a tag or a block that is
    never a template (the content of a file or an environment variable is data).
    """

    at: Location
    value: Plain
    text: str
    quoted: bool = False
    secret: bool = False
    literal: bool = False

    @property
    def templated(self) -> bool:
        """True when Jinja has to look at it."""
        return isinstance(self.value, str) and not self.literal and ("{{" in self.value or "{%" in self.value)


@dataclass(frozen=True, slots=True)
class ListNode:
    """A sequence of nodes."""

    at: Location
    items: tuple[Node, ...]
    templated: bool

    def __iter__(self) -> Iterator[Node]:
        """Go through the items."""
        return iter(self.items)

    def __len__(self) -> int:
        """Return how many items there are."""
        return len(self.items)


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and its value."""

    key: Scalar
    value: Node


@dataclass(frozen=True, slots=True)
class MapNode:
    """A mapping, in the order in which it is written; keys are unique."""

    at: Location
    entries: tuple[Entry, ...]
    templated: bool

    def get(self, name: str) -> Node | None:
        """Return the value of a key, or None when it is absent."""
        return next((entry.value for entry in self.entries if entry.key.text == name), None)

    def key(self, name: str) -> Scalar | None:
        """Return the node of a key itself, for errors about the key."""
        return next((entry.key for entry in self.entries if entry.key.text == name), None)

    def names(self) -> tuple[str, ...]:
        """Return the keys as text, in order."""
        return tuple(entry.key.text for entry in self.entries)

    def __iter__(self) -> Iterator[Entry]:
        """Go through the entries."""
        return iter(self.entries)

    def __len__(self) -> int:
        """Return how many entries there are."""
        return len(self.entries)


Node = Scalar | ListNode | MapNode


def plain(node: Node) -> object:
    """Return the bare Python value of a node: scalars, lists and dictionaries."""
    match node:
        case Scalar():
            return node.value
        case ListNode():
            return [plain(item) for item in node.items]
        case MapNode():
            return {entry.key.text: plain(entry.value) for entry in node.entries}
