"""Names and their values while a play runs: scopes inside scopes, rendered when they are asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

from runner.api.verdicts import Skipped
from runner.document import Node, plain
from runner.template import RenderError, Templates


class Absent:
    """Stands for a register whose step did not run; `reason` says why."""

    def __init__(self, reason: str, *, checking: bool = False) -> None:
        """Keep the reason for the message; `checking`: only because the run changes nothing."""
        self.reason = reason
        self.checking = checking


class Scope(Mapping[str, Any]):
    """A mapping of names; what is not here is asked of the enclosing scope.

    Values that are nodes with templates are rendered where they are asked for, so a
    variable may use any other one, whatever the order in which they are written.
    """

    def __init__(
        self,
        templates: Templates,
        parent: Scope | None = None,
        *,
        values: Mapping[str, Any] | None = None,
        nodes: Mapping[str, Node] | None = None,
        pinned: Mapping[str, Any] | None = None,
    ) -> None:
        """Hold `values` as they are and `nodes` as they will render.

        `pinned` values win over everything, also in the scopes inside this one.
        """
        self._templates = templates
        self._parent = parent
        inherited = parent._pinned if parent is not None else {}
        self._pinned: Mapping[str, Any] = inherited if pinned is None else pinned
        self._values: dict[str, Any] = {} if values is None else {**values}
        self._nodes: Mapping[str, Node] = nodes or {}
        self._busy: set[tuple[int, str]] = set()

    def child(
        self, *, values: Mapping[str, Any] | None = None, nodes: Mapping[str, Node] | None = None
    ) -> Scope:
        """Make a scope inside this one."""
        return Scope(self._templates, self, values=values, nodes=nodes)

    def rebased(self, old: Scope, new: Scope) -> Scope:
        """Make a scope with all that stands between here and `old`, on top of `new`."""
        values: dict[str, Any] = {}
        nodes: dict[str, Node] = {}
        scope: Scope | None = self
        while scope is not None and scope is not old:
            values = {**scope._values, **values}
            nodes = {**scope._nodes, **nodes}
            scope = scope._parent
        return Scope(self._templates, new, values=values, nodes=nodes)

    def set(self, name: str, value: object) -> None:
        """Give a name a value here, for as long as this scope lives."""
        self._values[name] = value

    def __getitem__(self, name: str) -> Any:
        """Return the value of a name; raise KeyError when nobody knows it."""
        return self.find(name, self)

    def find(self, name: str, asking: Scope) -> Any:
        """Look a name up from here outward; `asking` is where its templates are rendered."""
        if name in self._pinned:
            return self._pinned[name]
        scope: Scope | None = self
        while scope is not None:
            if name in scope._values:
                return _present(name, scope._values[name])
            if name in scope._nodes:
                return scope._rendered(name, asking)
            scope = scope._parent
        raise KeyError(name)

    def _rendered(self, name: str, asking: Scope) -> Any:
        node = self._nodes[name]
        if not node.templated:
            value = self._values[name] = plain(node)
            return value
        busy = (threading.get_ident(), name)
        if busy in self._busy:
            raise RenderError(f"{name!r} is defined by itself", at=node.at)
        self._busy.add(busy)
        try:
            return self._templates.render(node, asking)
        finally:
            self._busy.discard(busy)

    def __iter__(self) -> Iterator[str]:
        """Go through all names that can be seen from here."""
        seen: set[str] = set(self._pinned)
        yield from seen
        scope: Scope | None = self
        while scope is not None:
            for name in (*scope._values, *scope._nodes):
                if name not in seen:
                    seen.add(name)
                    yield name
            scope = scope._parent

    def __len__(self) -> int:
        """Return how many names can be seen from here."""
        return sum(1 for _ in self)


def _present(name: str, value: Any) -> Any:
    if isinstance(value, Absent) and value.checking:
        raise Skipped(f"check mode: needs {name!r}, which only a real run gives")
    if isinstance(value, Absent):
        raise RenderError(f"{name!r} has no value: {value.reason}")
    return value
