"""What a module and a driver declare: arguments, devices, children, results."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

if TYPE_CHECKING or sys.version_info >= (3, 11):
    from typing import dataclass_transform
else:

    def dataclass_transform(**_: object) -> Callable[[Any], Any]:
        """Stand in for typing.dataclass_transform on Python 3.10."""
        return lambda decorated: decorated


from runner.api.misfit import Misfit
from runner.api.needs import Needs

if TYPE_CHECKING:
    from runner.api.context import Context
    from runner.api.person import Person

_Method = TypeVar("_Method", bound=Callable[..., Any])


@dataclasses.dataclass(frozen=True)
class Argument:
    """How an argument is written: kept in the metadata of its dataclass field under ``"argument"``.

    `primary`: the argument that a bare scalar sets (``uboot_cmd: printenv``).
    `rest`: takes every key that no other argument has (``set: {a: 1}``).
    `secret`: its value is masked everywhere.
    """

    help: str
    primary: bool = False
    rest: bool = False
    secret: bool = False
    minimum: float | None = None
    maximum: float | None = None
    examples: tuple[object, ...] = ()


@dataclasses.dataclass(frozen=True)
class DeviceSlot:
    """A device that a module needs: kept in the metadata of its field under ``"device"``.

    The interface is the type of the field. `every`: all devices of the bench that
    offer it, as a tuple; none is fine.
    """

    help: str
    optional: bool = False
    every: bool = False


def arg(
    *,
    help: str,  # noqa: A002 - the word authors expect
    default: Any = dataclasses.MISSING,
    primary: bool = False,
    rest: bool = False,
    secret: bool = False,
    minimum: float | None = None,
    maximum: float | None = None,
    examples: tuple[object, ...] = (),
) -> Any:
    """Declare an argument of a module or an option of a driver; without `default` it is required."""
    metadata = {
        "argument": Argument(
            help=help,
            primary=primary,
            rest=rest,
            secret=secret,
            minimum=minimum,
            maximum=maximum,
            examples=examples,
        )
    }
    if isinstance(default, (list, dict, set)):
        made = default
        return dataclasses.field(default_factory=lambda: type(made)(made), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def device(*, help: str = "", optional: bool = False, every: bool = False) -> Any:  # noqa: A002
    """Declare a device that a module needs; the type of the field is the interface asked for.

    Which device it is says the step: by the name of the field, or by ``device:``
    when there is one field. `optional` gives None when the bench has none.
    """
    slot = DeviceSlot(help=help, optional=optional, every=every)
    if optional:
        return dataclasses.field(default=None, metadata={"device": slot})
    if every:
        return dataclasses.field(default=(), metadata={"device": slot})
    return dataclasses.field(metadata={"device": slot})


def child(method: _Method) -> _Method:
    """Mark a method of a driver that returns a part of the instrument, named ``device.method``.

    The return annotation says which interface the part offers. The agent calls
    the method once, after `open`.
    """
    method.__runner_child__ = True  # type: ignore[attr-defined]
    return method


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Result:
    """What a module found out; the fields can be used in the recipe after `register`.

    Subclasses are frozen dataclasses of the argument types, bytes, other results
    and tuples, lists and mappings of them.
    """

    def __init_subclass__(cls) -> None:
        """Make every subclass a frozen, keyword-only dataclass."""
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)


@dataclass_transform(kw_only_default=True, field_specifiers=(arg, device))
class Declared:
    """Something with declared arguments: a module or a driver."""

    unconfined: ClassVar[bool] = False
    """True when what it is given can make it do whatever its user may: run programs, change any file.

    A host's policy refuses it unless it says ``commands = yes``, and ``--untrusted`` always.
    """

    def __init_subclass__(cls) -> None:
        """Make every subclass a keyword-only dataclass, compared by identity."""
        dataclasses.dataclass(kw_only=True, eq=False)(cls)

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:  # noqa: ARG003 - for those that look
        """Say which arguments do not fit together; asked before the run, and of templates during it.

        `given`: every argument whose value is known, defaults included; others are templates.
        """
        return ()


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(arg,))
class Options:
    """A mapping inside an argument, with declared arguments of its own (``interrupt: {mode: flood}``)."""

    def __init_subclass__(cls) -> None:
        """Make every subclass a frozen, keyword-only dataclass."""
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:  # noqa: ARG003 - for those that look
        """Say which of these values do not fit together; all of them are known."""
        return ()


class Module(Declared):
    """A verb of recipes: declared arguments and devices, and `run`.

    The first line of the class's docstring is its summary; an ``Example::``
    section holds steps in YAML. The return annotation of `run` declares the
    result. Where the same code runs, here or on a host, it cannot tell.
    """

    runs_on: ClassVar[Literal["host", "controller"]] = "host"
    """`controller` for verbs that touch no hardware."""
    reads_only: ClassVar[bool] = False
    """True when it changes nothing, so that it also runs under ``--check``."""
    reads_when: ClassVar[str] = ""
    """The argument that says, when it is true, that a step changes nothing, as `reads_only` says of all."""
    limited_by: ClassVar[str] = ""
    """The argument that limits its time, by which it gives up by itself with a better message."""
    defines: ClassVar[str] = ""
    """The `rest` argument whose keys become variables of the test."""

    fetches: ClassVar[str] = ""
    """The argument (in options, too) whose file is fetched by HTTP with its arguments `headers` and `bearer`.

    A `sha256` beside it is what that file has to have.
    """

    takes_power: ClassVar[bool] = False
    """True when it takes the board's power away: what consoles say until it is back is no alarm."""

    @classmethod
    def misfits_on(
        cls,
        given: Mapping[str, Any],  # noqa: ARG003 - for those that look
        devices: Mapping[str, Mapping[str, Any]],  # noqa: ARG003 - the same
    ) -> Iterable[Misfit]:
        """Say which arguments do not fit the devices of a bench; asked before the run.

        `devices`: for each device field, the options of its driver that are known by then.
        """
        return ()

    @classmethod
    def does_without(cls, given: Mapping[str, Any]) -> Collection[str]:  # noqa: ARG003 - the same
        """Name the slots with `every` that get those devices only which could be opened.

        The others are told as a warning. `given`: the arguments that were set.
        """
        return ()

    @classmethod
    def leads_to(cls, given: Mapping[str, Any]) -> str:  # noqa: ARG003 - for those that look
        """Name the argument that holds an address or a device of the network; asked before the run.

        Empty when there is none. `given`: the values that are known by then.
        """
        return ""

    def run(self, context: Context) -> Any:
        """Do it; return a Result or None, or raise a verdict."""
        raise NotImplementedError  # never reached: a class without its own is refused as it is declared

    def predict(self, context: Context) -> str:
        """Say what `run` would do now, going by what can be read; change nothing.

        A module that has a method of its own is asked this under ``--check``, where `run` would
        run: ``would switch 'power' on (it reads off)``. Empty when it cannot tell. What it raises
        ends the step as it would end a real one. Slots with `every` are empty: only what
        the prediction needs is opened.
        """
        raise NotImplementedError  # never reached: a module without its own is not asked


class Driver(Declared):
    """An instrument: declared options, `open` and `close`, and the interfaces it offers.

    One instance lives from the first step that needs it to the end of the run.
    """

    simulated: ClassVar[bool] = False
    """True when no hardware is behind it; every report says so."""
    private: ClassVar[bool] = False
    """True when each run gets an instance of its own, so that no lock is needed."""

    def needs(self) -> Needs:
        """Say what it needs of the host, going by its options alone; nothing is opened for that."""
        return Needs()

    def meet(self, person: Person) -> None:
        """Take who can be asked to do something by hand; called before `open`.

        A driver that has a method of its own needs a person at the controller's terminal: recipes
        that use it are refused where nobody is.
        """

    def open(self) -> None:
        """Connect to the instrument; raise a LabError when it is not there."""

    def close(self) -> None:
        """Let go of it; called once, also after a failed step."""

    def artifacts(self) -> Mapping[str, Path]:
        """Return the files that it has written for the run's ``artifacts/``.

        Their names there are the device's with these keys after it (``.asc``).
        Asked once, after `close`; the files are sent to the controller if it is there, and removed.
        """
        return {}
