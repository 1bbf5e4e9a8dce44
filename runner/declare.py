"""Reads what a class of a module or driver declares; refuses a declaration that cannot be used."""

from __future__ import annotations

import dataclasses
import inspect
import re
import typing
from pathlib import Path
from typing import Any

from runner.api.interfaces import Interface
from runner.api.module import Declared, DeviceSlot, Driver, Module
from runner.declaration import DriverType, Slot, Verb
from runner.errors import Faults, Location
from runner.fields import parameters_of
from runner.type_names import supported

_WORD_EDGE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_EXAMPLE = re.compile(r"^Example::[ \t]*\n", re.MULTILINE)


def name_of(class_name: str) -> str:
    """Return the name that recipes use for a class.

    >>> name_of("UbootCmd"), name_of("CanSend"), name_of("Assert")
    ('uboot_cmd', 'can_send', 'assert')
    """
    return _WORD_EDGE.sub("_", class_name.rstrip("_")).lower()


def declare_verb(cls: type[Module], *, source: str, family: str = "") -> Verb:
    """Return a module's declaration; raise InputError with what is wrong with it."""
    faults = Faults()
    at = _place(cls, source)
    summary, description, example = _documented(cls, at, faults)
    _check_fields(cls, at, faults)
    result = _result(cls, at, faults)
    slots = tuple(_slots(cls, at, faults))
    faults.raise_if_any()
    return Verb(
        name=name_of(cls.__name__),
        summary=summary,
        description=description,
        example=example,
        parameters=parameters_of(cls),
        slots=slots,
        result=result,
        runs_on=cls.runs_on,
        reads_only=cls.reads_only,
        reads_when=cls.reads_when,
        predicts=cls.predict is not Module.predict,
        limited_by=cls.limited_by,
        defines=cls.defines,
        unconfined=cls.unconfined,
        cls=cls,
        path=f"{cls.__module__}:{cls.__qualname__}",
        source=source,
        family=family,
    )


def declare_driver(cls: type[Driver], *, source: str, family: str = "") -> DriverType:
    """Return a driver's declaration; raise InputError with what is wrong with it."""
    faults = Faults()
    at = _place(cls, source)
    summary, description, example = _documented(cls, at, faults)
    _check_fields(cls, at, faults)
    children = _children(cls, at, faults)
    slots = tuple(_slots(cls, at, faults))
    faults.raise_if_any()
    return DriverType(
        name=name_of(cls.__name__),
        summary=summary,
        description=description,
        example=example,
        parameters=parameters_of(cls),
        slots=slots,
        interfaces=interfaces_of(cls),
        children=children,
        simulated=cls.simulated,
        private=cls.private,
        unconfined=cls.unconfined,
        needs_person=cls.meet is not Driver.meet,
        cls=cls,
        path=f"{cls.__module__}:{cls.__qualname__}",
        source=source,
        family=family,
    )


def interfaces_of(cls: type) -> frozenset[str]:
    """Return the names of the interfaces that a class offers: those it lists among its bases."""
    return frozenset(
        base.__name__
        for base in cls.__mro__
        if Interface in base.__bases__ and not issubclass(base, Declared)
    )


def _place(cls: type, source: str) -> Location:
    try:
        line = inspect.getsourcelines(cls)[1]
    except (OSError, TypeError):
        line = 1
    return Location(source, line, 1)


def _documented(cls: type, at: Location, faults: Faults) -> tuple[str, str, str]:
    text = inspect.cleandoc(cls.__doc__ or "")
    if not text or text.startswith(f"{cls.__name__}("):
        faults.add("E261", f"{cls.__name__} has no docstring: its first line is its summary", at=at)
        return "", "", ""
    before, *after = _EXAMPLE.split(text, maxsplit=1)
    summary, _, description = before.strip().partition("\n")
    return summary.strip(), description.strip(), inspect.cleandoc(after[0]).strip() if after else ""


def _check_fields(cls: Any, at: Location, faults: Faults) -> None:
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        said = field.metadata.get("argument")
        if "device" in field.metadata:
            continue
        if said is None or not said.help:
            faults.add("E262", f"{cls.__name__}.{field.name} needs arg(help=…)", at=at)
        if not supported(hints[field.name]):
            faults.add(
                "E263",
                f"{cls.__name__}.{field.name} has a type that YAML cannot hold: {hints[field.name]}",
                at=at,
            )


def _result(cls: type[Module], at: Location, faults: Faults) -> type | None:
    if cls.run is Module.run:
        faults.add("E265", f"{cls.__name__} has no run method", at=at)
        return None
    hints = typing.get_type_hints(cls.run)
    if "return" not in hints or hints["return"] is Any:
        faults.add("E265", f"{cls.__name__}.run needs a return annotation: it declares the result", at=at)
        return None
    result = hints["return"]
    if result is type(None):
        return None
    if not (isinstance(result, type) and dataclasses.is_dataclass(result)):
        faults.add("E265", f"{cls.__name__}.run returns {result}, which is not a Result", at=at)
        return None
    return result


def _slots(cls: Any, at: Location, faults: Faults) -> typing.Iterator[Slot]:
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        said: DeviceSlot | None = field.metadata.get("device")
        if said is None:
            continue
        interface = _interface(hints[field.name])
        if interface is None:
            faults.add("E266", f"{cls.__name__}.{field.name}: device() needs an interface as its type", at=at)
            continue
        yield Slot(
            name=field.name,
            interface=interface,
            help=said.help,
            optional=said.optional,
            every=said.every,
        )


def _interface(hint: Any) -> str | None:
    members = [hint, *typing.get_args(hint)]
    found = [each for each in members if isinstance(each, type) and issubclass(each, Interface)]
    return found[0].__name__ if found else None


def _children(cls: type[Driver], at: Location, faults: Faults) -> dict[str, frozenset[str]]:
    children: dict[str, frozenset[str]] = {}
    for name in dir(cls):
        method = inspect.getattr_static(cls, name)
        if not getattr(method, "__runner_child__", False):
            continue
        returned = typing.get_type_hints(method).get("return")
        if not isinstance(returned, type) or not interfaces_of(returned):
            faults.add("E267", f"{cls.__name__}.{name}: a child's return annotation is an interface", at=at)
            continue
        children[name] = interfaces_of(returned)
    return children


def family_of(path: str) -> str:
    """Return the name of the folder that a file stands in."""
    return Path(path).parent.name
