"""Resolves the names of templates and expressions, and says what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from runner.document import ListNode, MapNode, Node, Scalar
from runner.errors import Faults, Location, did_you_mean
from runner.model import Expression
from runner.recipe.fields import inside
from runner.recipe.names import FUNCTIONS, Known, Names
from runner.recipe.places import Places
from runner.recipe.reading import Chain
from runner.recipe.shapes import MISSING, describe, fields_of, member
from runner.template import NameUse, Templates

_NOWHERE = Location("", 1, 1)
_GUARD = re.compile(r"\s*(?:\|\s*(?:default|d)\b|is\s+(?:not\s+)?(?:un)?defined\b)")
_SINGLE = re.compile(r"\s*\{\{-?\s*([A-Za-z_][\w.]*)\s*-?\}\}\s*")


class Lookup:
    """Checks texts against the names that their place can see.

    `elsewhere` says of names that exist, but not here, where they do (name to hint); it is
    asked only when a name is not known.
    """

    def __init__(self, templates: Templates, faults: Faults) -> None:
        """Note what is wrong in `faults`."""
        self._templates = templates
        self._faults = faults
        self._places = Places()
        self._uses: dict[tuple[str, bool], tuple[NameUse, ...]] = {}
        self._wrong: set[tuple[str, bool]] = set()
        self._following: list[Known] = []
        self._followed: set[int] = set()
        self._told: set[tuple[str, str, Location]] = set()
        self.chain: Chain = ()
        """How the place came to be reached: calls of actions, uses of variables."""
        self.elsewhere: Callable[[], Mapping[str, str]] = dict
        self.seen_only = ""
        """What to say of any other name that is not known."""
        self.lenient = False
        """True when not all names are known, so that a missing one means nothing."""

    def node(self, node: Node, names: Names) -> None:
        """Check every template below a node."""
        match node:
            case Scalar():
                if node.templated and isinstance(node.value, str):
                    self._check(node.value, inside(node), names, bare=False)
            case ListNode():
                for item in node.items if node.templated else ():
                    self.node(item, names)
            case MapNode():
                for entry in node.entries if node.templated else ():
                    self.node(entry.key, names)
                    self.node(entry.value, names)

    def expression(self, expression: Expression | None, names: Names) -> None:
        """Check a bare expression."""
        if expression is not None:
            self._check(expression.text, expression.at, names, bare=True)

    def expressions(self, several: Iterable[Expression | None], names: Names) -> None:
        """Check bare expressions."""
        for each in several:
            self.expression(each, names)

    def shape(self, node: Node, names: Names) -> Any:
        """Return what is known of the value of a template that is one name with fields, else Any."""
        match = (
            _SINGLE.fullmatch(node.value)
            if isinstance(node, Scalar) and isinstance(node.value, str)
            else None
        )
        if match is None:
            return Any
        name, *fields = match[1].split(".")
        known = names.find(name)
        shape = known.shape if known is not None else Any
        for each in fields:
            shape = member(shape, each)
        return Any if shape is MISSING else shape

    def unused(self, definitions: Iterable[Node], known: Collection[str]) -> None:
        """Check definitions that no place has used: their names must be `known` somewhere."""
        for node in definitions:
            for name, text, offset, at in self._words(node) if id(node) not in self._followed else ():
                if name not in known:
                    hint = self.elsewhere().get(name) or did_you_mean(name, set(known) - {*FUNCTIONS})
                    self._say("E301", f"unknown name {name!r}", self._places.of(name, offset, text, at), hint)

    def _words(self, node: Node) -> Iterator[tuple[str, str, int, Location]]:
        """Go through all names used below a node: name, text, offset, and where the text begins."""
        match node:
            case Scalar():
                if not node.templated:
                    return
                text, at = str(node.value), inside(node)
                for use in self._used(text, bare=False):
                    yield use.name, text, use.offset, at
                if (text, False) in self._wrong:
                    self._syntax(text, at, bare=False)
            case ListNode():
                for item in node.items:
                    yield from self._words(item)
            case MapNode():
                for entry in node.entries:
                    yield from self._words(entry.value)

    def _check(self, text: str, at: Location, names: Names, *, bare: bool) -> None:
        uses = self._used(text, bare=bare)
        if (text, bare) in self._wrong:
            self._syntax(text, at, bare=bare)
        for use in uses:
            known = names.find(use.name)
            if known is None:
                self._unknown(use, text, at, names, bare=bare)
            elif self._usable(use, known, text, at):
                self._fields(use, known, text, at)
                self._follow(known, names, at)

    def _used(self, text: str, *, bare: bool) -> tuple[NameUse, ...]:
        key = (text, bare)
        if key not in self._uses:
            self._uses[key] = self._templates.names_in(text, bare=bare)
            if self._templates.check(_written(text, _NOWHERE, bare=bare)):
                self._wrong.add(key)
        return self._uses[key]

    def _syntax(self, text: str, at: Location, *, bare: bool) -> None:
        for fault in self._templates.check(_written(text, at, bare=bare)):
            self._say(fault.code, fault.message, fault.at or at, fault.hint)

    def _unknown(self, use: NameUse, text: str, at: Location, names: Names, *, bare: bool) -> None:
        if self.lenient:
            return
        where = self._places.of(use.name, use.offset, text, at)
        elsewhere = self.elsewhere().get(use.name, "")
        if elsewhere:
            self._say("E306", f"{use.name!r} has no value here", where, elsewhere)
            return
        hint = _nearest(use.name, names) or self.seen_only
        if not hint and bare and not use.fields:
            hint = f"if it is a text, write it in quotes: '{use.name}'"
        self._say("E301", f"unknown name {use.name!r}", where, hint)

    def _usable(self, use: NameUse, known: Known, text: str, at: Location) -> bool:
        if known.unusable is not None:
            code, reason, hint = known.unusable
            self._say(code, f"{use.name!r} {reason}", self._places.of(use.name, use.offset, text, at), hint)
            return False
        if known.absent_on and not self.lenient and not _guarded(use, text):
            where = self._places.of(use.name, use.offset, text, at)
            self._say(
                "E305", _absent(f"variable {use.name!r}", known.absent_on), where, _defined(use.name, known)
            )
            return False
        return True

    def _fields(self, use: NameUse, known: Known, text: str, at: Location) -> None:
        shape, path = known.shape, use.name
        for field, offset in zip(use.fields, use.field_offsets, strict=False):
            inner = member(shape, field)
            if inner is MISSING:
                where = self._places.of(field, offset, text, at)
                self._say(
                    "E302", f"{_said(path, shape, known)} has no field {field!r}", where, _near(field, shape)
                )
                return
            shape, path = inner, f"{path}.{field}"
            absent = known.absent_fields.get(path)
            if absent and not _guarded(use, text):
                where = self._places.of(field, offset, text, at)
                hint = f"give that bench the label, or write {path} | default(…)"
                self._say("E305", _absent(f"{path!r}", absent), where, hint)
                return

    def _follow(self, known: Known, names: Names, at: Location) -> None:
        """Check the definition of a variable with the names of the place that uses it."""
        if not known.nodes:
            return
        if any(each is known for each in self._following):
            where = known.nodes[0].at
            self._say("E309", "the variable is defined by itself", where, "give one of them another name")
            return
        before = self.chain
        self.chain = (*before, ("it is used", at))
        self._following.append(known)
        for node in known.nodes:
            self._followed.add(id(node))
            self.node(node, names)
        self._following.pop()
        self.chain = before

    def _say(self, code: str, message: str, at: Location, hint: str) -> None:
        if (code, message, at) in self._told:
            return
        self._told.add((code, message, at))
        self._faults.add(code, message, at=at, hint=hint, chain=self.chain)


def _written(text: str, at: Location, *, bare: bool) -> Scalar | Expression:
    return Expression(text=text, at=at) if bare else Scalar(at, text, text)


def _guarded(use: NameUse, text: str) -> bool:
    """Tell whether the expression itself says what happens when the name has no value."""
    end = use.offset + len(use.name)
    if use.fields:
        end = use.field_offsets[-1] + len(use.fields[-1])
    return _GUARD.match(text, end) is not None


def _nearest(name: str, names: Names) -> str:
    """Name the most similar name, and where it comes from."""
    hint = did_you_mean(name, set(names) - {*FUNCTIONS})
    near = next((each for each in names if hint == f"did you mean {each!r}?"), "")
    known = names.find(near) if near else None
    return hint if known is None or known.at is None else f"{hint}  ({known.kind}, {known.at})"


def _absent(what: str, benches: tuple[str, ...]) -> str:
    more = f" and {len(benches) - 1} more" if len(benches) > 1 else ""
    return f"{what} is not defined on bench {benches[0]!r}{more}"


def _defined(name: str, known: Known) -> str:
    return f"others define it ({known.at}); or write {name} | default(…)" if known.at else ""


def _said(path: str, shape: Any, known: Known) -> str:
    if known.source and "." not in path:
        return f"{path} ({known.source})"
    return f"{path}, {describe(shape)}," if not fields_of(shape) else path


def _near(field: str, shape: Any) -> str:
    have = fields_of(shape)
    return did_you_mean(field, have) or (f"it has: {', '.join(have)}" if have else "")
