"""Names that can be seen from a place in a recipe, before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.document import Node
from runner.errors import Location

FUNCTIONS = ("range", "dict", "lipsum", "cycler", "joiner", "namespace")
"""What Jinja knows by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A name: what its value looks like, where it comes from, and when it may be used.

    `kind` in words (``param``, ``register``). `nodes`: its definitions that hold templates.
    `absent_on`: benches that do not define it; `absent_fields`: benches that lack a field, by
    its dotted path. `unusable`: why it cannot be used here, as
    fault code, reason and hint. `source`: the module that gives it.
    """

    kind: str
    shape: Any = Any
    at: Location | None = None
    nodes: tuple[Node, ...] = ()
    absent_on: tuple[str, ...] = ()
    absent_fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unusable: tuple[str, str, str] | None = None
    source: str = ""


class Names:
    """A scope: names of its own, and those around it."""

    def __init__(self, outer: Names | None = None, own: Mapping[str, Known] | None = None) -> None:
        """Begin with `own`; what is not there is looked up in `outer`."""
        self.outer = outer
        self.own: dict[str, Known] = dict(own or {})
        """The names that this scope adds."""

    def inner(self, own: Mapping[str, Known] | None = None) -> Names:
        """Make a scope inside this one."""
        return Names(self, own)

    def add(self, name: str, known: Known) -> None:
        """Make a name known from here on."""
        self.own[name] = known

    def find(self, name: str) -> Known | None:
        """Look a name up from here outward."""
        scope: Names | None = self
        while scope is not None:
            found = scope.own.get(name)
            if found is not None:
                return found
            scope = scope.outer
        return None

    def __iter__(self) -> Iterator[str]:
        """Go through all names that can be seen; inner ones first."""
        scope: Names | None = self
        while scope is not None:
            yield from scope.own
            scope = scope.outer
