"""What a class of a module or driver declares, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from runner.api.module import Driver, Module


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """An argument of a module or action, an option of a driver, or a param of a play.

    `hint` is the Python type (one of the closed set that `runner.schema` knows).
    `default` is a typed value and means nothing when `required`.
    """

    name: str
    hint: Any
    required: bool
    default: Any = None
    help: str = ""
    primary: bool = False
    rest: bool = False
    secret: bool = False
    minimum: float | None = None
    maximum: float | None = None
    examples: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A device that a module asks for: the field's name and the interface's name (``Power``)."""

    name: str
    interface: str
    help: str = ""
    optional: bool = False
    every: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """A module as recipes see it. `path` is where to import its class: ``package.file:Class``."""

    name: str
    summary: str
    description: str = ""
    example: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    slots: tuple[Slot, ...] = ()
    result: type | None = None
    runs_on: Literal["host", "controller"] = "host"
    reads_only: bool = False
    reads_when: str = ""
    predicts: bool = False
    limited_by: str = ""
    defines: str = ""
    unconfined: bool = False
    cls: type[Module]
    path: str
    source: str
    family: str = ""

    @property
    def primary(self) -> Parameter | None:
        """The argument that a bare scalar sets."""
        return next((each for each in self.parameters.values() if each.primary), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverType:
    """A driver as inventories see it.

    `interfaces`: names of what it offers itself. `children`: for each part, what that offers.
    `slots`: the devices of its bench that it works through.
    """

    name: str
    summary: str
    description: str = ""
    example: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    slots: tuple[Slot, ...] = ()
    interfaces: frozenset[str] = frozenset()
    children: Mapping[str, frozenset[str]] = field(default_factory=dict)
    simulated: bool = False
    private: bool = False
    unconfined: bool = False
    needs_person: bool = False
    cls: type[Driver]
    path: str
    source: str
    family: str = ""
