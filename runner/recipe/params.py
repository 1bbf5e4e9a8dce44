"""Params: the typed inputs of a play or an action."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from runner.api.values import ByteString, Duration, FilePath, Size, is_url
from runner.declaration import Parameter
from runner.document import Entry, ListNode, MapNode, Node, Scalar, plain
from runner.errors import Faults, Location, did_you_mean
from runner.model import UNBOUND, Bench, Param, Play, Recipe
from runner.recipe.fields import choice, flag, is_nothing, keyed, mapping, text, unknown_keys, wrong
from runner.recipe.identifiers import check_identifier
from runner.schema import convert, convert_value
from runner.type_names import type_name

TYPES: Mapping[str, Any] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "duration": Duration,
    "size": Size,
    "bytes": ByteString,
    "path": FilePath,
    "list": list[Any],
    "map": dict[str, Any],
    "any": Any,
}
_KEYS = ("type", "required", "default", "help", "secret", "env", "choices")
_FOREIGN_TYPES = {
    "string": "str",
    "text": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "time": "duration",
    "file": "path",
    "dict": "map",
    "mapping": "map",
    "object": "map",
    "array": "list",
}


def read_params(node: Node, owner: str, faults: Faults) -> dict[str, Param]:
    """Read declarations; `owner` (``the play``, ``action 'boot'``) is for messages."""
    read = mapping(node, "params", faults)
    if read is None:
        return {}
    found = {entry.key.text: _param(entry, owner, faults) for entry in read.entries}
    return {name: param for name, param in found.items() if param is not None}


def read_action_params(node: Node, owner: str, faults: Faults) -> dict[str, Parameter]:
    """Read the params of an action; when there is one only, a bare scalar sets it."""
    params = read_params(node, owner, faults)
    for param in params.values():
        if param.default is not None and param.default.templated:
            faults.add(
                "E299",
                "a template in the default of an action's param is not supported yet",
                at=param.default.at,
            )
        if param.env:
            faults.add(
                "E224", "'env' is for params of plays", at=param.at, hint="pass the value to the action"
            )
    single = len(params) == 1
    return {name: _primary(param.parameter) if single else param.parameter for name, param in params.items()}


def _primary(parameter: Parameter) -> Parameter:
    return dataclasses.replace(parameter, primary=True)


def _param(entry: Entry, owner: str, faults: Faults) -> Param | None:
    name = entry.key.text
    if not check_identifier(entry.key, "param", faults):
        return None
    if not isinstance(entry.value, MapNode):
        wrong(entry.value, f"param {name!r}", "a mapping", faults, hint=_as_mapping(name, entry.value))
        return None
    unknown_keys(entry.value.entries, _KEYS, f"param {name!r}", faults)
    keys = keyed(entry.value)
    bare = _declared(name, keys, faults)
    default = keys.get("default")
    value = None
    if default is not None and not default.value.templated and not is_nothing(default.value):
        value = _default(bare, default.value, f"param {name!r} of {owner}", faults)
    return Param(
        parameter=_with_default(bare, None if value is UNBOUND else value, required=_required(keys, faults)),
        default=default.value if default is not None else None,
        env=text(keys["env"].value, "env", faults) if "env" in keys else "",
        at=entry.key.at,
    )


def _default(parameter: Parameter, node: Node, owner: str, faults: Faults) -> Any:
    if parameter.hint is not FilePath:
        return convert(parameter, node, faults, owner=owner)
    given = text(node, "default", faults)
    if is_url(given):
        return FilePath(given)
    return FilePath((Path(node.at.path).parent / Path(given).expanduser()).resolve())


def _as_mapping(name: str, node: Node) -> str:
    if isinstance(node, Scalar) and node.text in TYPES:
        return f"write {name}: {{type: {node.text}}}"
    if isinstance(node, Scalar) and not is_nothing(node):
        return f"write {name}: {{default: {node.text}}}, or put it into 'vars'"
    return f"write {name}: {{type: str}}"


def _declared(name: str, keys: Mapping[str, Entry], faults: Faults) -> Parameter:
    secret = keys.get("secret")
    described = keys.get("help")
    return Parameter(
        name=name,
        hint=_hint(keys, faults),
        required=True,
        help=text(described.value, "help", faults) if described is not None else "",
        secret=flag(secret.value, "secret", faults) if secret is not None else False,
    )


def _with_default(parameter: Parameter, value: object, *, required: bool) -> Parameter:
    return dataclasses.replace(parameter, default=value, required=required)


def _hint(keys: Mapping[str, Entry], faults: Faults) -> Any:
    if "choices" in keys:
        return _choices(keys, faults)
    if "type" not in keys:
        return Any
    node = keys["type"].value
    given = node.text if isinstance(node, Scalar) else ""
    if given in _FOREIGN_TYPES:
        faults.add(
            "E224",
            f"no type {given!r}",
            at=node.at,
            hint=f"did you mean {_FOREIGN_TYPES[given]!r}?",
        )
        return Any
    return TYPES.get(choice(node, "type", tuple(TYPES), faults), Any)


def _choices(keys: Mapping[str, Entry], faults: Faults) -> Any:
    node = keys["choices"].value
    if not isinstance(node, ListNode) or not node.items:
        wrong(node, "choices", "a list of values", faults)
        return Any
    if not all(isinstance(item, Scalar) and not item.templated for item in node.items):
        faults.add("E224", "choices must be plain values", at=node.at)
        return Any
    kind = keys["type"].value if "type" in keys else None
    as_text = isinstance(kind, Scalar) and kind.text == "str"
    values = [item.text if as_text and isinstance(item, Scalar) else plain(item) for item in node.items]
    return Literal[tuple(values)]


def _required(keys: Mapping[str, Entry], faults: Faults) -> bool:
    if "required" not in keys:
        return "default" not in keys
    required = flag(keys["required"].value, "required", faults)
    if required and "default" in keys:
        faults.add(
            "E224",
            "a param with a default is not required",
            at=keys["required"].key.at,
            hint="leave out 'required' or 'default'",
        )
    return required


# --- values --------------------------------------------------------------------------------------


def param_values(
    play: Play, extra: Mapping[str, object], environment: Mapping[str, str], faults: Faults
) -> tuple[dict[str, Any], dict[str, Node]]:
    """Return the typed values that are known before the run, and the templates of the other defaults.

    The values: what ``-e`` says (also of plain variables), what the environment says, and
    literal defaults. A param with no value at all is a fault.
    """
    values: dict[str, Any] = {}
    nodes: dict[str, Node] = {}
    for name, param in play.params.items():
        if name in extra:
            values[name] = _converted(param, extra[name], f"-e {name}", None, faults)
        elif param.env and param.env in environment:
            origin = f"environment variable {param.env}"
            values[name] = _converted(param, environment[param.env], origin, param.at, faults)
        elif param.default is not None and param.default.templated:
            nodes[name] = param.default
        elif param.parameter.required:
            _missing(name, param, faults)
        else:
            values[name] = param.parameter.default
            _refuse_missing_file(param, faults)
    values.update({name: value for name, value in extra.items() if name not in play.params})
    return values, nodes


def _converted(param: Param, value: object, origin: str, at: Location | None, faults: Faults) -> Any:
    try:
        return convert_value(param.parameter, value)
    except ValueError as error:
        shown = "" if param.parameter.secret else f": {error}"
        faults.add(
            "E512",
            f"{origin} does not fit{shown}",
            at=at,
            hint=f"param {param.parameter.name!r} is {type_name(param.parameter.hint)} ({param.at})",
        )
        return None


def _refuse_missing_file(param: Param, faults: Faults) -> None:
    """Note a default file that does not exist: it need not, while ``-e`` names another one."""
    path = param.parameter.default
    if (
        isinstance(path, FilePath)
        and not is_url(path)
        and not Path(path).exists()
        and param.default is not None
    ):
        faults.add("E512", f"no such file: {path}", at=param.default.at, hint=_ways(param) + _help(param))


def _missing(name: str, param: Param, faults: Faults) -> None:
    faults.add("E513", f"param {name!r}{_help(param)} has no value", at=param.at, hint=_ways(param))


def _ways(param: Param) -> str:
    otherwise = f", or set {param.env} in the environment" if param.env else ""
    return f"add -e {param.parameter.name}=…{otherwise}"


def _help(param: Param) -> str:
    return f" ({param.parameter.help})" if param.parameter.help else ""


def check_extra(
    recipes: Recipe | Iterable[Recipe], extra: Mapping[str, object], benches: Iterable[Bench] = ()
) -> None:
    """Raise InputError for every name of ``-e`` that is neither a param nor a variable of what is played."""
    several = (recipes,) if isinstance(recipes, Recipe) else tuple(recipes)
    plays = [play for recipe in several for play in recipe.plays]
    params = {name for play in plays for name in play.params}
    known = params | {definition.name for play in plays for definition in play.variables}
    known |= {name for play in plays for test in play.tests for name in test.variables}
    known |= {definition.name for bench in benches for definition in bench.variables}
    faults = Faults()
    for name in extra:
        if name not in known:
            listing = f"params: {', '.join(sorted(params))}" if params else "the recipe has no params"
            faults.add(
                "E511", f"-e {name}: no param or variable {name!r}", hint=did_you_mean(name, known) or listing
            )
    faults.raise_if_any()
