"""Expressions and templates: parsed at load, compiled once, rendered with the names they use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from runner.api.judged import Judged
from runner.document import ListNode, MapNode, Node, Scalar
from runner.errors import Fault, Location, did_you_mean
from runner.model import Expression

if TYPE_CHECKING:
    from jinja2 import nodes
    from jinja2.sandbox import SandboxedEnvironment

_WORDS = frozenset(
    {"and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None"}
)
_SINGLE = re.compile(r"\s*\{\{-?(?P<inner>(?:(?!\{\{|\}\}|\{%).)*?)-?\}\}\s*", re.DOTALL)


class RenderError(Exception):
    """A template or expression has no value, and only data could show it."""

    def __init__(self, message: str, *, at: Location | None = None, hint: str = "") -> None:
        """Say where and what."""
        super().__init__(message)
        self.message = message
        self.at = at
        self.hint = hint


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


@dataclass(frozen=True, slots=True)
class _Compiled:
    names: tuple[str, ...]
    render: Callable[[Mapping[str, Any]], Any]


class Templates:
    """Jinja2, sandboxed and strict, with every text compiled once."""

    def __init__(self) -> None:
        """Compile nothing yet; Jinja itself is imported when the first template is met."""
        self._texts: dict[str, _Compiled] = {}
        self._expressions: dict[str, _Compiled] = {}

    @cached_property
    def _environment(self) -> SandboxedEnvironment:
        from jinja2 import StrictUndefined
        from jinja2.sandbox import SandboxedEnvironment

        from runner import filters

        environment = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
        environment.filters.update(filters.filters())
        environment.tests.update(filters.tests())
        return environment

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
                return {
                    self._key(entry.key, names): self.render(entry.value, names) for entry in node.entries
                }

    def _key(self, key: Scalar, names: Mapping[str, Any]) -> str:
        return str(self._run(self._text(key), names, key.at)) if key.templated else key.text

    def evaluate(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        """Return the value of a bare expression."""
        return self._run(self._expression(expression.text, expression.at), names, expression.at)

    def judge(self, expression: Expression, names: Mapping[str, Any]) -> Judged:
        """Return whether a condition holds; when it does not, with the value of each operand."""
        value = self.evaluate(expression, names)
        if not isinstance(value, bool):
            raise RenderError(
                f"a condition is true or false, and {expression.text} is {value!r}",
                at=expression.at,
                hint="compare it: … == …, … is defined, … | length > 0",
            )
        operands = {} if value else self.operands(expression, names)
        return Judged(text=expression.text, holds=value, operands=operands, at=str(expression.at))

    def check(self, written: Node | Expression) -> tuple[Fault, ...]:
        """Return what is wrong with the syntax, filters and tests of a template or expression."""
        match written:
            case Expression():
                return tuple(self._faults(written.text, written.at, bare=True))
            case Scalar():
                return tuple(self._faults(written.value, written.at, bare=False)) if written.templated else ()
            case ListNode():
                return tuple(fault for item in written.items for fault in self.check(item))
            case MapNode():
                return tuple(fault for entry in written.entries for fault in self.check(entry.value))

    def names_in(self, text: str, *, bare: bool) -> tuple[NameUse, ...]:
        """Return the names that a text takes from outside, in its order; none when it is not valid."""
        from jinja2 import TemplateSyntaxError, meta

        source = f"{{{{ {text} }}}}" if bare else text
        try:
            free = meta.find_undeclared_variables(self._environment.parse(source))
            tokens = list(self._environment.lex(source))
        except TemplateSyntaxError:
            return ()
        return tuple(_uses(tokens, free, -3 if bare else 0))

    # --- compiling -------------------------------------------------------------------------------

    def _text(self, node: Scalar) -> _Compiled:
        text = str(node.value)
        known = self._texts.get(text)
        if known is None:
            single = _SINGLE.fullmatch(text)
            known = self._compiled(single["inner"] if single else text, node.at, bare=bool(single))
            self._texts[text] = known
        return known

    def _expression(self, text: str, at: Location | None) -> _Compiled:
        known = self._expressions.get(text)
        if known is None:
            known = self._expressions[text] = self._compiled(text, at, bare=True)
        return known

    def _compiled(self, text: str, at: Location | None, *, bare: bool) -> _Compiled:
        from jinja2 import TemplateError, meta

        name = text.strip()
        if bare and name.isidentifier() and name not in _WORDS:
            return _Compiled((name,), self._variable(name))
        source = f"{{{{ {text} }}}}" if bare else text
        try:
            free = tuple(sorted(meta.find_undeclared_variables(self._environment.parse(source))))
            if bare:
                return _Compiled(free, self._environment.compile_expression(text, undefined_to_none=False))
            return _Compiled(free, self._environment.from_string(text).render)
        except TemplateError as error:
            raise RenderError(f"{error.message}: {text.strip()}", at=at) from error

    def _variable(self, name: str) -> Callable[[Mapping[str, Any]], Any]:
        """Return what looks a bare name up: the commonest expression needs no Jinja."""
        undefined = self._environment.undefined

        def look_up(given: Mapping[str, Any]) -> Any:
            return given[name] if name in given else undefined(name=name)

        return look_up

    def _run(self, compiled: _Compiled, names: Mapping[str, Any], at: Location | None) -> Any:
        from jinja2 import TemplateError, Undefined

        given = _picked(compiled.names, names)
        try:
            value = compiled.render(given)
            if isinstance(value, Undefined):
                value._fail_with_undefined_error()  # noqa: SLF001 - Jinja's own way to say which name it is
        except RenderError:
            raise
        except TemplateError as error:
            raise RenderError(
                error.message or str(error), at=at, hint=_nearest(error.message, names)
            ) from error
        except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, OverflowError) as error:
            raise RenderError(f"{type(error).__name__}: {error}", at=at) from error
        return value

    # --- messages --------------------------------------------------------------------------------

    def operands(self, expression: Expression, names: Mapping[str, Any]) -> dict[str, object]:
        """Return each name in an expression, as written, with its value: for messages."""
        from jinja2 import nodes

        parsed = self._environment.parse(f"{{{{ {expression.text} }}}}")
        output = parsed.find(nodes.Output)
        operands: dict[str, object] = {}
        for operand in _operand_nodes(output.nodes[0]) if output else ():
            written = _written(operand)
            try:
                operands[written] = self._run(self._expression(written, None), names, None)
            except RenderError as error:
                operands[written] = f"({error.message})"
        return operands

    def _faults(self, value: object, at: Location, *, bare: bool) -> Iterator[Fault]:
        from jinja2 import TemplateSyntaxError, nodes

        text = str(value)
        if bare and "{{" in text:
            corrected = re.sub(r"\{\{\s*(.*?)\s*\}\}", r"\1", text)
            yield Fault(
                code="E311", message="an expression stands without {{ }}", at=at, hint=f"write: {corrected}"
            )
            return
        try:
            parsed = self._environment.parse(f"{{{{ {text} }}}}" if bare else text)
        except TemplateSyntaxError as error:
            yield Fault(code="E310", message=f"{error.message}: {text.strip()}", at=at)
            return
        known_filters, known_tests = self._environment.filters, self._environment.tests
        for used in parsed.find_all((nodes.Filter, nodes.Test)):
            is_filter = isinstance(used, nodes.Filter)
            known = known_filters if is_filter else known_tests
            if used.name is not None and used.name not in known:
                kind, code = ("filter", "E312") if is_filter else ("test", "E313")
                place = _inside(at, text, used.name)
                yield Fault(
                    code=code,
                    message=f"no {kind} {used.name!r}",
                    at=place,
                    hint=did_you_mean(used.name, known),
                )


def _picked(wanted: tuple[str, ...], names: Mapping[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name in wanted:
        try:
            given[name] = names[name]
        except KeyError:
            continue
    return given


def _nearest(message: str | None, names: Mapping[str, Any]) -> str:
    found = re.match(r"'(\w+)' is undefined", message or "")
    return did_you_mean(found[1], names) if found else ""


def _inside(at: Location, text: str, word: str) -> Location:
    """Return the place of a word in a text that begins at `at`, when it is on the same line."""
    offset = text.find(word)
    if offset < 0 or "\n" in text[:offset]:
        return at
    return Location(at.path, at.line, at.column + offset, len(word))


def _uses(tokens: list[tuple[int, str, str]], free: set[str], shift: int) -> Iterator[NameUse]:
    placed: list[tuple[str, str, int]] = []
    offset = shift
    inside = False
    for _line, kind, value in tokens:
        if kind in {"variable_begin", "block_begin"}:
            inside = True
        elif kind in {"variable_end", "block_end"}:
            inside = False
        elif inside and kind != "whitespace":
            placed.append((kind, value, offset))
        offset += len(value)
    for index, (kind, value, place) in enumerate(placed):
        if kind == "name" and value in free and value not in _WORDS and _is_variable(placed, index):
            fields, places, called = _chain(placed, index + 1)
            yield NameUse(value, fields, place, places, called)


def _is_variable(placed: list[tuple[str, str, int]], index: int) -> bool:
    before = placed[index - 1][1] if index else ""
    after = placed[index + 1][1] if index + 1 < len(placed) else ""
    if before in {".", "|", "is"} or (before == "not" and index > 1 and placed[index - 2][1] == "is"):
        return False
    return after != "=" or before not in {"(", ","}


def _chain(placed: list[tuple[str, str, int]], index: int) -> tuple[tuple[str, ...], tuple[int, ...], bool]:
    fields: list[str] = []
    places: list[int] = []
    while index + 1 < len(placed) and placed[index][1] == "." and placed[index + 1][0] == "name":
        fields.append(placed[index + 1][1])
        places.append(placed[index + 1][2])
        index += 2
    called = bool(fields) and index < len(placed) and placed[index][1] == "("
    return tuple(fields), tuple(places), called


def _operand_nodes(node: nodes.Node) -> Iterator[nodes.Node]:
    from jinja2 import nodes

    if isinstance(node, (nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Call)) and _written(node):
        yield node
        return
    if isinstance(node, nodes.Filter) and node.node is not None and _written(node):
        yield node
        return
    for inner in node.iter_child_nodes():
        yield from _operand_nodes(inner)


def _written(node: nodes.Node) -> str:
    from jinja2 import nodes

    match node:
        case nodes.Name():
            return node.name
        case nodes.Getattr():
            return f"{_written(node.node)}.{node.attr}"
        case nodes.Getitem():
            return f"{_written(node.node)}[{_written(node.arg)}]"
        case nodes.Const():
            return repr(node.value)
        case nodes.Call() if not node.kwargs:
            return f"{_written(node.node)}({', '.join(_written(each) for each in node.args)})"
        case nodes.Filter() if node.node is not None and not node.kwargs:
            arguments = ", ".join(_written(each) for each in node.args)
            return f"{_written(node.node)} | {node.name}" + (f"({arguments})" if arguments else "")
        case _:
            return ""
