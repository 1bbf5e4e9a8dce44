"""Expressions and templates: parsed at load, compiled once, rendered with the names they use."""

from __future__ import annotations

import itertools
import re
import types
from collections.abc import Callable, Iterator, KeysView, Mapping, ValuesView
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from runner.api.judged import Judged
from runner.document import Entry, ListNode, MapNode, Node, Scalar
from runner.errors import Fault, Location, did_you_mean
from runner.model import Expression
from runner.names import NameUse, uses
from runner.tokens import Tag, Token, tags_of, words

if TYPE_CHECKING:
    from jinja2 import nodes

    from runner.sandbox import Sandbox

__all__ = ["NameUse", "RenderError", "Templates"]

_WORDS = frozenset(
    {"and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None"}
)
_BRACES = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}")
_PLAIN = (str, bool, int, float, bytes, type(None))
_CALLABLE = (types.FunctionType, types.MethodType, types.BuiltinMethodType)
_SHOWN = 200
"""How many characters of a value a message shows."""


class RenderError(Exception):
    """A template or expression has no value, and only data could show it."""

    def __init__(self, message: str, *, at: Location | None = None, hint: str = "") -> None:
        """Say where and what."""
        super().__init__(message)
        self.message = message
        self.at = at
        self.hint = hint


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A text that was compiled. `names`: what it asks for; `typed`: its value keeps its type."""

    names: tuple[str, ...]
    render: Callable[[Mapping[str, Any]], Any]
    typed: bool


class Templates:
    """Jinja2, sandboxed and strict, with every text compiled once."""

    def __init__(self) -> None:
        """Compile nothing yet; Jinja itself is imported when the first template is met."""
        self._texts: dict[str, _Compiled] = {}
        self._expressions: dict[str, _Compiled] = {}

    @cached_property
    def _environment(self) -> Sandbox:
        from runner.sandbox import Sandbox

        return Sandbox()

    # --- values ----------------------------------------------------------------------------------

    def render(self, node: Node, names: Mapping[str, Any]) -> Any:
        """Return the value of a node; a scalar that is exactly one ``{{ … }}`` keeps its type."""
        match node:
            case Scalar():
                if not node.templated:
                    return node.value
                return self._run(self._text(node), names, node.at)
            case ListNode():
                return [self.render(item, names) for item in node.items]
            case MapNode():
                return self._mapping(node, names)

    def _mapping(self, node: MapNode, names: Mapping[str, Any]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for entry in node.entries:
            key = self._key(entry, names)
            if key in made:
                raise RenderError(f"two keys of one mapping are {key!r}", at=entry.key.at)
            made[key] = self.render(entry.value, names)
        return made

    def _key(self, entry: Entry, names: Mapping[str, Any]) -> str:
        key = entry.key
        return str(self._run(self._text(key), names, key.at)) if key.templated else key.text

    def evaluate(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        """Return the value of a bare expression."""
        return self._run(self._expression(expression.text, expression.at), names, expression.at)

    def judge(self, expression: Expression, names: Mapping[str, Any]) -> Judged:
        """Return whether a condition holds; when it does not, with the value of each operand."""
        value = self.evaluate(expression, names)
        if not isinstance(value, bool):
            raise RenderError(
                f"a condition is true or false, and {expression.text} is {_short(value)}",
                at=expression.at,
                hint="compare it: … == …, … is defined, … | length > 0",
            )
        operands = {} if value else self.operands(expression, names)
        return Judged(text=expression.text, holds=value, operands=operands, at=str(expression.at))

    def operands(self, expression: Expression, names: Mapping[str, Any]) -> dict[str, object]:
        """Return each value that an expression compares, as written, with what it is: for messages."""
        from jinja2 import nodes

        from runner.operands import operands

        output = self._parsed(expression.text, bare=True).find(nodes.Output)
        values: dict[str, object] = {}
        for written in operands(output.nodes[0]) if output else ():
            try:
                values[written] = self._run(self._expression(written, None), names, None)
            except RenderError as error:
                values[written] = f"({error.message})"
        return values

    # --- before the run --------------------------------------------------------------------------

    def check(self, written: Node | Expression) -> tuple[Fault, ...]:
        """Return what is wrong with the syntax, filters and tests of a template or expression."""
        match written:
            case Expression():
                return tuple(self._faults(written.text, written.at, bare=True))
            case Scalar():
                text = str(written.value)
                return tuple(self._faults(text, written.at, bare=False)) if written.templated else ()
            case ListNode():
                return tuple(fault for item in written.items for fault in self.check(item))
            case MapNode():
                parts = (part for entry in written.entries for part in (entry.key, entry.value))
                return tuple(fault for part in parts for fault in self.check(part))

    def names_in(self, text: str, *, bare: bool) -> tuple[NameUse, ...]:
        """Return the names that a text takes from outside, in its order; none when it is not valid."""
        from jinja2 import TemplateSyntaxError, meta

        try:
            free = meta.find_undeclared_variables(self._parsed(text, bare=bare))
            return tuple(uses(self._tags(text, bare=bare), free))
        except TemplateSyntaxError:
            return ()

    def _faults(self, text: str, at: Location, *, bare: bool) -> Iterator[Fault]:
        from jinja2 import TemplateSyntaxError

        try:
            tags = self._tags(text, bare=bare)
            if bare and _has_braces(tags):
                yield _braces(text, at)
                return
            parsed = self._parsed(text, bare=bare)
        except TemplateSyntaxError as error:
            yield _braces(text, at) if bare and "{{" in text else _invalid(error, text, at)
            return
        yield from _files(parsed, at)
        yield from self._unknown_words(tags, text, at)

    def _unknown_words(self, tags: tuple[Tag, ...], text: str, at: Location) -> Iterator[Fault]:
        for word in words(tags, "filter"):
            if word.text not in self._environment.filters:
                hint = did_you_mean(word.text, self._environment.filters)
                yield Fault(
                    code="E312", message=f"no filter {word.text!r}", at=_inside(at, text, word), hint=hint
                )
        for word in words(tags, "test"):
            if word.text not in self._environment.tests:
                hint = did_you_mean(word.text, self._environment.tests)
                yield Fault(
                    code="E313", message=f"no test {word.text!r}", at=_inside(at, text, word), hint=hint
                )

    # --- compiling -------------------------------------------------------------------------------

    def _parsed(self, text: str, *, bare: bool) -> nodes.Template:
        return self._environment.parse(_source(text, bare=bare))

    def _tags(self, text: str, *, bare: bool) -> tuple[Tag, ...]:
        source = _source(text, bare=bare)
        tags = tags_of(self._environment.lex(source), source)
        shift = len(_source("", bare=True)) // 2 if bare else 0
        return tuple(
            (kind, tuple(token._replace(offset=token.offset - shift) for token in tokens))
            for kind, tokens in tags
        )

    def _text(self, node: Scalar) -> _Compiled:
        text = str(node.value)
        known = self._texts.get(text)
        if known is None:
            single = self._single(text)
            known = self._compiled(text if single is None else single, node.at, bare=single is not None)
            self._texts[text] = known
        return known

    def _single(self, text: str) -> str | None:
        """Return the expression of a text that is exactly one ``{{ … }}``, None for any other text."""
        from jinja2 import TemplateSyntaxError

        try:
            tokens = [(kind, value) for _line, kind, value in self._environment.lex(text.strip())]
        except TemplateSyntaxError:
            return None
        outside = ("variable_begin", "data", "block_begin", "raw_begin", "comment_begin")
        if [kind for kind, _value in tokens if kind in outside] != ["variable_begin"]:
            return None
        return "".join(value for _kind, value in tokens[1:-1])

    def _expression(self, text: str, at: Location | None) -> _Compiled:
        known = self._expressions.get(text)
        if known is None:
            known = self._expressions[text] = self._compiled(text, at, bare=True)
        return known

    def _compiled(self, text: str, at: Location | None, *, bare: bool) -> _Compiled:
        from jinja2 import TemplateError, meta

        environment = self._environment
        name = text.strip()
        if bare and name.isidentifier() and name not in _WORDS:
            return _Compiled((name,), self._variable(name), typed=True)
        try:
            free = tuple(sorted(meta.find_undeclared_variables(self._parsed(text, bare=bare))))
            if bare:
                return _Compiled(free, environment.compiled(text), typed=True)
            return _Compiled(free, environment.from_string(text).render, typed=False)
        except TemplateError as error:
            raise RenderError(f"{_plain_words(error.message)}: {text.strip()}", at=at) from error

    def _variable(self, name: str) -> Callable[[Mapping[str, Any]], Any]:
        """Return what looks a bare name up: the commonest expression needs no Jinja."""
        undefined = self._environment.undefined

        def look_up(given: Mapping[str, Any]) -> Any:
            return given[name] if name in given else undefined(name=name)

        return look_up

    def _run(self, compiled: _Compiled, names: Mapping[str, Any], at: Location | None) -> Any:
        from jinja2 import TemplateError

        given = _picked(compiled.names, names)
        try:
            value = compiled.render(given)
            if compiled.typed and type(value) not in _PLAIN:
                return _settled(value)
        except TemplateError as error:
            hint = _nearest(error.message, names)
            raise RenderError(error.message or str(error), at=at, hint=hint) from error
        except ValueError as error:
            raise RenderError(str(error), at=at) from error
        except (
            TypeError,
            ArithmeticError,
            LookupError,
            AttributeError,
            RecursionError,
            MemoryError,
        ) as error:
            raise RenderError(f"{type(error).__name__}: {error}", at=at) from error
        return value


def _source(text: str, *, bare: bool) -> str:
    return f"{{{{ {text} }}}}" if bare else text


def _picked(wanted: tuple[str, ...], names: Mapping[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name in wanted:
        try:
            given[name] = names[name]
        except KeyError:
            continue
    return given


def _settled(value: Any) -> Any:
    """Return a value that stays what it is: lists for what can be gone through once, nothing undefined.

    Raises TemplateError for an undefined value, also inside; TypeError for a method without its call.
    """
    from jinja2 import Undefined

    if isinstance(value, Undefined):
        value._fail_with_undefined_error()  # noqa: SLF001 - Jinja's own way to say which name it is
    if isinstance(value, _CALLABLE):
        raise TypeError(f"{value.__name__} is called with parentheses: {value.__name__}()")
    if isinstance(value, (Iterator, KeysView, ValuesView, AbstractSet)):
        value = list(value)
    if isinstance(value, (list, tuple)):
        for item in value:
            if type(item) not in _PLAIN:
                return (
                    type(value)(_settled(item) for item in value) if type(value) in {list, tuple} else value
                )
    elif type(value) is dict:
        return {key: _settled(item) for key, item in value.items()}
    return value


# --- messages ------------------------------------------------------------------------------------


def _nearest(message: str | None, names: Mapping[str, Any]) -> str:
    found = re.match(r"'(\w+)' is undefined", message or "")
    return did_you_mean(found[1], names) if found else ""


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _has_braces(tags: tuple[Tag, ...]) -> bool:
    """Tell whether ``{{`` stands in an expression, and not in one of its texts."""
    tokens = [token for _kind, inside in tags for token in inside]
    pairs = itertools.pairwise(tokens)
    return any(left.text == right.text == "{" and right.offset == left.offset + 1 for left, right in pairs)


def _braces(text: str, at: Location) -> Fault:
    corrected = _BRACES.sub(r"\1", text)
    return Fault(code="E311", message="an expression stands without {{ }}", at=at, hint=f"write: {corrected}")


def _invalid(error: Exception, text: str, at: Location) -> Fault:
    message = _plain_words(getattr(error, "message", None))
    return Fault(code="E310", message=f"{message}: {text.strip()}".removesuffix(": "), at=at)


def _plain_words(message: str | None) -> str:
    return (message or "").replace("end of print statement", "the end").replace("'the end'", "the end")


def _files(parsed: nodes.Template, at: Location) -> Iterator[Fault]:
    from jinja2 import nodes

    for used in parsed.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        word = {"FromImport": "from"}.get(type(used).__name__, type(used).__name__.lower())
        hint = "actions of an imported recipe are used as steps"
        yield Fault(code="E310", message=f"a template has no files: {word}", at=at, hint=hint)


def _inside(at: Location, text: str, word: Token) -> Location:
    """Return the place of a word in a text that begins at `at`, when it is on the same line."""
    if "\n" in text[: word.offset]:
        return at
    return Location(at.path, at.line, at.column + word.offset, len(word.text))
