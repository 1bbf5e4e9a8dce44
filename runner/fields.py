"""Fields of a declared class as parameters: of modules, drivers, options, and plain dataclasses."""

from __future__ import annotations

import dataclasses
import functools
import typing
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from runner.api.module import Argument
from runner.declaration import Parameter


def parameters_of(cls: type) -> Mapping[str, Parameter]:
    """Return the parameters of a dataclass, in the order in which they are written; devices are left out."""
    return _parameters_of(cls)


@functools.cache
def _parameters_of(cls: Any) -> Mapping[str, Parameter]:
    hints = typing.get_type_hints(cls)
    fields = dataclasses.fields(cls)
    return MappingProxyType(
        {
            field.name: _parameter(field, hints[field.name])
            for field in fields
            if "device" not in field.metadata
        }
    )


def _parameter(field: dataclasses.Field[Any], hint: Any) -> Parameter:
    said = field.metadata.get("argument", Argument(help=""))
    required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    return Parameter(
        name=field.name,
        hint=hint,
        required=required,
        default=None if required else _default(field),
        help=said.help,
        primary=said.primary,
        rest=said.rest,
        secret=said.secret,
        minimum=said.minimum,
        maximum=said.maximum,
        examples=said.examples,
    )


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default
