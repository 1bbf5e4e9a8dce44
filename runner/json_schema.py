"""Types of arguments as JSON Schema (draft 7, which yaml-language-server understands best)."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, Union

from runner.api.codec import encode
from runner.api.judged import Judged
from runner.api.values import BytePattern, ByteString, Checksum, Duration, FilePath, Secret, Size, TargetPath
from runner.declaration import Parameter
from runner.fields import parameters_of
from runner.type_names import show, type_name

Schema = dict[str, Any]
TEMPLATE: Mapping[str, str] = types.MappingProxyType({"type": "string", "pattern": r"\{\{.*\}\}"})
_TEXT: Schema = {"type": ["string", "number", "boolean"]}
_HEX = r"^([0-9a-fA-F]{2}\s*)*$"
_HEX_ANY = r"^(([0-9a-fA-F]{2}|\?\?)\s*)*$"
_BYTES: Schema = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 255}}
_SIMPLE: Mapping[Any, Schema] = types.MappingProxyType(
    {
        bool: {"type": "boolean"},
        int: {"type": "integer"},
        float: {"type": "number"},
        str: _TEXT,
        type(None): {"type": "null"},
        None: {"type": "null"},
        Duration: {
            "type": ["string", "number"],
            "pattern": r"^(\d+(\.\d+)?(h|ms|m|s|us))+$|^\d+(\.\d+)?$",
            "minimum": 0,
        },
        Size: {"type": ["string", "integer"], "pattern": r"^\d+(\.\d+)?\s*([KMGT]i?B|B)?$", "minimum": 0},
        ByteString: {"anyOf": [{"type": ["string", "integer"], "pattern": _HEX}, _BYTES]},
        bytes: {"anyOf": [{"type": ["string", "integer"], "pattern": _HEX}, _BYTES]},
        BytePattern: {"anyOf": [{"type": ["string", "integer"], "pattern": _HEX_ANY}, _BYTES]},
        FilePath: {"type": "string"},
        Checksum: {"type": "string"},
        TargetPath: {"type": "string"},
        Secret: _TEXT,
        Judged: {"type": ["string", "boolean"]},
        object: {},
        Any: {},
        list: {"type": "array"},
        tuple: {"type": "array"},
        dict: {"type": "object"},
    }
)


def json_schema(hint: Any) -> Schema:
    """Return the schema of a type, without templates."""
    if isinstance(hint, typing.Hashable) and hint in _SIMPLE:
        return dict(_SIMPLE[hint])
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {Union, types.UnionType}:
        return {"anyOf": [json_schema(member) for member in arguments]}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in {list, tuple}:
        items = json_schema(arguments[0])
        schema: Schema = {"type": "array", "items": templated(items)}
        return {"anyOf": [schema, items]} if arguments[0] is Judged else schema
    if origin is dict:
        return {"type": "object", "additionalProperties": templated(json_schema(arguments[1]))}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {"enum": [member.value for member in hint]}
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return parameters_schema(parameters_of(hint))
    raise TypeError(f"{hint!r} is not a type of arguments")


def templated(schema: Schema) -> Schema:
    """Return a schema that takes a template, too."""
    if not schema:
        return schema
    return {"anyOf": [schema, dict(TEMPLATE)]}


def parameter_schema(parameter: Parameter) -> Schema:
    """Return the schema of one argument with its help."""
    schema = json_schema(parameter.hint)
    if parameter.minimum is not None:
        schema.setdefault("minimum", parameter.minimum)
    if parameter.maximum is not None:
        schema.setdefault("maximum", parameter.maximum)
    schema = templated(schema)
    said = f"{parameter.help} ({type_name(parameter.hint)})"
    if not parameter.required:
        said += f", default {show(parameter.default)}"
        if isinstance(parameter.default, (bool, int, float, str)):
            schema = {**schema, "default": _default(parameter.default)}
    return {"description": said, **schema}


def _default(value: object) -> Any:
    return str(value) if isinstance(value, (Duration, Size)) else encode(value)


def parameters_schema(
    parameters: Mapping[str, Parameter], extra: Mapping[str, Schema] | None = None
) -> Schema:
    """Return the schema of a mapping of arguments; `extra` holds keys beside them."""
    named = {name: parameter_schema(each) for name, each in parameters.items() if not each.rest}
    required = [name for name, each in parameters.items() if each.required and not each.rest]
    schema: Schema = {"type": "object", "properties": {**named, **(extra or {})}}
    if required:
        schema["required"] = required
    schema["additionalProperties"] = any(each.rest for each in parameters.values())
    return schema
