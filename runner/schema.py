"""Types of arguments: what is written becomes a typed value, or a fault with its place.

The closed set of types: bool int float str None, Literal, Enum, list, tuple, dict,
unions of them, `Options` subclasses and frozen dataclasses, and our values (Duration,
Size, ByteString, BytePattern, FilePath, Checksum, Secret, Judged).
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Union

from runner.api.judged import Judged
from runner.api.module import Options
from runner.api.values import (
    BytePattern,
    ByteString,
    Checksum,
    Duration,
    FilePath,
    Secret,
    Size,
    TargetPath,
    is_url,
)
from runner.declaration import Parameter
from runner.document import Entry, ListNode, MapNode, Node, Scalar, plain
from runner.errors import Faults, InputError, Location, did_you_mean
from runner.fields import parameters_of
from runner.misfits import known, within
from runner.model import UNBOUND, Bound, Expression
from runner.rendered import NOWHERE, node_of
from runner.type_names import one_of, seen, show, type_name

_WORDS_FOR_BOOL = {"yes": "true", "on": "true", "no": "false", "off": "false"}


class Wrong(Exception):
    """A node is not of the type that is wanted."""

    def __init__(self, at: Location, message: str, hint: str = "") -> None:
        """Say where and what."""
        super().__init__(message)
        self.at = at
        self.message = message
        self.hint = hint


def bind(
    parameters: Mapping[str, Parameter],
    node: Node | None,
    faults: Faults,
    *,
    owner: str,
    at: Location,
    extra: Collection[str] = (),
) -> dict[str, Bound]:
    """Give each parameter the value that is written for it; note what is missing, unknown or wrong.

    A scalar or list sets the primary parameter. Keys in `extra` are the caller's own.
    """
    bound: dict[str, Bound] = {}
    for name, value in _given(parameters, node, faults, owner=owner, extra=extra):
        parameter = parameters[name]
        if value.templated:
            bound[name] = Bound(parameter=parameter, node=value)
            continue
        converted = convert(parameter, value, faults, owner=owner)
        known = None if converted is UNBOUND else converted
        bound[name] = Bound(parameter=parameter, node=value, value=known)
    for parameter in parameters.values():
        if parameter.required and parameter.name not in bound:
            faults.add("E232", f"{owner} needs {parameter.name!r}", at=at, hint=_described(parameter))
    return bound


def _given(
    parameters: Mapping[str, Parameter],
    node: Node | None,
    faults: Faults,
    *,
    owner: str,
    extra: Collection[str],
) -> Iterable[tuple[str, Node]]:
    if node is None or (isinstance(node, Scalar) and node.value is None and not node.text):
        return
    primary = next((each for each in parameters.values() if each.primary), None)
    if not isinstance(node, MapNode):
        if primary is None:
            wanted = f"{owner} takes a mapping of arguments"
            faults.add(
                "E233",
                wanted,
                at=node.at,
                hint=", ".join(parameters) or f"write {owner}: with nothing after it",
            )
            return
        yield primary.name, node
        return
    rest = next((each for each in parameters.values() if each.rest), None)
    others: list[Entry] = []
    for entry in node:
        name = entry.key.text
        if name in extra:
            continue
        if name in parameters and not parameters[name].rest:
            yield name, entry.value
        elif rest is not None:
            others.append(entry)
        else:
            _unknown(name, entry.key.at, parameters, faults, owner=owner, extra=extra)
    if rest is not None and others:
        templated = any(each.value.templated for each in others)
        yield rest.name, MapNode(node.at, tuple(others), templated)


def _unknown(
    name: str,
    at: Location,
    parameters: Mapping[str, Parameter],
    faults: Faults,
    *,
    owner: str,
    extra: Collection[str],
) -> None:
    near = did_you_mean(name, (*parameters, *extra))
    match = next((each for each in parameters.values() if repr(each.name) in near), None)
    known = ", ".join((*parameters, *extra))
    hint = (
        f"{near}  ({_described(match)})"
        if match
        else near or (f"it has: {known}" if known else "it takes none")
    )
    faults.add("E231", f"{owner} has no argument {name!r}", at=at, hint=hint)


def _described(parameter: Parameter) -> str:
    default = "" if parameter.required else f" = {show(parameter.default)}"
    return f"{parameter.name}: {type_name(parameter.hint)}{default}"


def convert(parameter: Parameter, node: Node, faults: Faults, *, owner: str) -> Any:
    """Return the typed value of a node without templates; note a fault and return UNBOUND otherwise."""
    try:
        value = _value(parameter.hint, node)
        _bounded(parameter, value, node)
    except Wrong as wrong:
        faults.add("E234", f"{owner}: {parameter.name}: {wrong.message}", at=wrong.at, hint=wrong.hint)
        return UNBOUND
    return value


def convert_value(parameter: Parameter, value: object, at: Location = NOWHERE) -> Any:
    """Return a rendered value with the parameter's type; raise ValueError with one sentence otherwise.

    Files are relative to the file that `at` is in.
    """
    if _takes_as_is(parameter.hint, value):
        return value
    node = node_of(value, parameter.hint, at)
    try:
        converted = _value(parameter.hint, node)
        _bounded(parameter, converted, node)
    except Wrong as wrong:
        raise ValueError(wrong.message + (f" ({wrong.hint})" if wrong.hint else "")) from wrong
    return converted


def _takes_as_is(hint: Any, value: object) -> bool:
    """Tell whether a value is kept whatever it is: bytes stay bytes, a result stays a result."""
    if hint is Any or hint is object:
        return True
    anything = typing.get_origin(hint) is dict and typing.get_args(hint) in {(str, Any), (str, object)}
    return anything and isinstance(value, dict) and all(type(key) is str for key in value)


def _bounded(parameter: Parameter, value: Any, node: Node) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return
    if parameter.minimum is not None and value < parameter.minimum:
        raise Wrong(node.at, f"{show(value)} is below the minimum of {parameter.minimum:g}")
    if parameter.maximum is not None and value > parameter.maximum:
        raise Wrong(node.at, f"{show(value)} is above the maximum of {parameter.maximum:g}")


# --- one type after the other ----------------------------------------------------------------------


def _value(hint: Any, node: Node) -> Any:  # noqa: C901 - one branch for each kind of type
    if hint is Any or hint is object:
        return plain(node)
    origin = typing.get_origin(hint)
    if origin in {Union, types.UnionType}:
        return _union(typing.get_args(hint), node)
    if origin is Literal:
        return _literal(typing.get_args(hint), node)
    if origin in {list, tuple, dict} or hint in {list, tuple, dict}:
        return _container(origin or hint, typing.get_args(hint), node)
    if hint is None or hint is type(None):
        if isinstance(node, Scalar) and node.value is None:
            return None
        raise Wrong(node.at, f"expected nothing (null), got {seen(node)}")
    if isinstance(hint, type) and dataclasses.is_dataclass(hint) and hint is not Judged:
        return _mapping(hint, node)
    if hint in {ByteString, bytes}:
        return _byte_string(node, ByteString)
    if hint is BytePattern:
        return _byte_string(node, BytePattern)
    if not isinstance(node, Scalar):
        raise Wrong(node.at, f"expected {type_name(hint)}, got {seen(node)}")
    return _scalar(hint, node)


def _scalar(hint: Any, node: Scalar) -> Any:
    known = _SCALARS.get(hint)
    if known is not None:
        return known(node)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _member(hint, node)
    raise TypeError(f"{hint!r} is not a type of arguments")


def _bool(node: Scalar) -> bool:
    if isinstance(node.value, bool):
        return node.value
    word = _WORDS_FOR_BOOL.get(node.text.lower())
    raise Wrong(node.at, f"expected true or false, got {seen(node)}", f"write {word}" if word else "")


def _int(node: Scalar) -> int:
    if isinstance(node.value, int) and not isinstance(node.value, bool):
        return node.value
    raise Wrong(node.at, f"expected a whole number, got {seen(node)}")


def _float(node: Scalar) -> float:
    if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        return node.value
    raise Wrong(node.at, f"expected a number, got {seen(node)}")


def _str(node: Scalar) -> str:
    if node.value is None and not node.quoted:
        raise Wrong(node.at, "expected text, got nothing", 'write "" for an empty text')
    return node.text


def _file(node: Scalar) -> FilePath:
    if is_url(_str(node)):
        return FilePath(_str(node))
    path = Path(node.at.path).parent / _str(node) if node.at.path else Path(_str(node))
    if not path.exists():
        raise Wrong(node.at, f"no such file: {node.text}", f"looked for {path}" if node.at.path else "")
    return FilePath(str(path.resolve()))


def _checksum(node: Scalar) -> Checksum | FilePath:
    text = Checksum(_str(node).strip())
    if not text or text.digits:
        return text
    try:
        return _file(node)
    except (Wrong, OSError) as error:
        hint = "write its 64 hexadecimal digits, or name a file or URL that sha256sum has made"
        raise Wrong(node.at, f"{_str(node)[:80]!r} is no SHA-256 checksum, and no file", hint) from error


def _target(node: Scalar) -> TargetPath:
    return TargetPath((Path(node.at.path).parent / Path(_str(node)).expanduser()).absolute())


def _parsed(make: Callable[[Any], Any]) -> Callable[[Scalar], Any]:
    def parse(node: Scalar) -> Any:
        if node.value is None or isinstance(node.value, bool):
            raise Wrong(node.at, f"expected {type_name(make)}, got {seen(node)}")
        try:
            return make(node.value)
        except (TypeError, ValueError) as error:
            raise Wrong(node.at, str(error)) from error

    return parse


_SCALARS: Mapping[Any, Callable[[Scalar], Any]] = types.MappingProxyType(
    {
        bool: _bool,
        int: _int,
        float: _float,
        str: _str,
        Secret: lambda node: Secret(_str(node)),
        FilePath: _file,
        Checksum: _checksum,
        TargetPath: _target,
        Duration: _parsed(Duration),
        Size: _parsed(Size),
        Judged: lambda node: Expression(text=_str(node).strip(), at=node.at),
    }
)


def _byte_string(node: Node, make: Callable[[Any], Any]) -> Any:
    try:
        if isinstance(node, ListNode):
            return make([_int(item) for item in node if isinstance(item, Scalar)])
        if isinstance(node, Scalar):
            return make(_str(node))
    except (TypeError, ValueError) as error:
        raise Wrong(node.at, str(error)) from error
    raise Wrong(node.at, f"expected {type_name(make)}, got {seen(node)}")


def _union(members: tuple[Any, ...], node: Node) -> Any:
    exact = type(node.value) if isinstance(node, Scalar) else None
    ordered = sorted(members, key=lambda member: (member is not exact, member is str, member is float))
    problems: list[Wrong] = []
    for member in ordered:
        if exact is bool and member in {int, float}:
            continue
        try:
            return _value(member, node)
        except Wrong as wrong:
            problems.append(wrong)
    deepest = [wrong for wrong in problems if wrong.at != node.at]
    if deepest:
        raise deepest[0]
    others = [wrong for wrong in problems if not wrong.message.startswith("expected")]
    if (
        len(others) == 1 and type(None) in members
    ):  # there is one kind of value: what is wrong with it is known
        raise others[0]
    raise Wrong(node.at, f"expected {type_name(Union[members])}, got {seen(node)}", _best_hint(problems))


def _best_hint(problems: list[Wrong]) -> str:
    return next((wrong.hint for wrong in problems if wrong.hint), "")


def _literal(choices: tuple[Any, ...], node: Node) -> Any:
    if isinstance(node, Scalar):
        for choice in choices:
            if node.value == choice and isinstance(node.value, type(choice)):
                return choice
            if isinstance(choice, str) and node.text == choice:
                return choice
        hint = did_you_mean(node.text, map(str, choices))
    else:
        hint = ""
    raise Wrong(node.at, f"expected {one_of(choices)}, got {seen(node)}", hint)


def _member(hint: type[enum.Enum], node: Scalar) -> enum.Enum:
    for member in hint:
        if node.value == member.value or node.text.lower() == member.name.lower():
            return member
    names = [str(member.value) for member in hint]
    raise Wrong(node.at, f"expected {one_of(names)}, got {seen(node)}", did_you_mean(node.text, names))


def _container(origin: Any, arguments: tuple[Any, ...], node: Node) -> Any:
    if origin is dict:
        if not isinstance(node, MapNode):
            raise Wrong(node.at, f"expected a mapping, got {seen(node)}")
        name, item = arguments or (str, object)
        return {_int(each.key) if name is int else each.key.text: _value(item, each.value) for each in node}
    item = arguments[0] if arguments else object
    if item is Judged and isinstance(node, Scalar):
        return [_scalar(Judged, node)]
    if not isinstance(node, ListNode):
        raise Wrong(node.at, f"expected a list of {type_name(item)}, got {seen(node)}")
    return origin(_value(item, each) for each in node)


def _mapping(hint: type, node: Node) -> Any:
    parameters = parameters_of(hint)
    if not isinstance(node, MapNode) and not any(each.primary for each in parameters.values()):
        raise Wrong(node.at, f"expected a mapping ({', '.join(parameters)}), got {seen(node)}")
    inner = Faults()
    bound = bind(parameters, node, inner, owner="it", at=node.at)
    try:
        inner.raise_if_any()
    except InputError as error:
        first = error.faults[0]
        raise Wrong(first.at or node.at, first.message.removeprefix("it: "), first.hint) from error
    _refuse_misfits(hint, known(parameters, bound), node)
    return hint(**{name: each.value for name, each in bound.items()})


def _refuse_misfits(hint: type, values: Mapping[str, Any], node: Node) -> None:
    """Raise Wrong for the first of the values that does not fit the others."""
    for misfit in hint.misfits(values) if issubclass(hint, Options) else ():
        raise Wrong(within(node, misfit.argument.split(".")), misfit.message, misfit.hint)
