"""Messages and signals by name, from DBC, ARXML, KCD and SYM files, by cantools."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from runner.api import ByteString, CanBus, CanFrame, LabError, Misfit, RecipeFault
from runner.api.values import is_url

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_KINDS = {".dbc", ".arxml", ".kcd", ".sym"}


class Wrong(Exception):
    """What is named or given is not what the database has; `argument` is the part that is wrong."""

    def __init__(self, argument: str, message: str, hint: str = "") -> None:
        """Say which argument, what, and what to do."""
        super().__init__(message)
        self.misfit = Misfit(argument, message, hint)


class Database:
    """The messages of one file."""

    def __init__(self, path: str) -> None:
        """Read it; raise Wrong for a file that describes no messages."""
        self.name = Path(path).name
        if Path(path).suffix.lower() not in _KINDS:
            raise Wrong("database", f"{self.name} is no database of CAN messages", "DBC, ARXML, KCD or SYM")
        from cantools import database
        from cantools.errors import Error

        try:
            read: Any = database.load_file(path)
        except (Error, OSError, ValueError, UnicodeError) as error:
            said = " ".join(str(error).split())[:300]
            raise Wrong("database", f"{self.name} cannot be read: {said}") from error
        self._messages: dict[str, Any] = {each.name: each for each in read.messages}

    def message(self, name: str) -> Any:
        """Return cantools' message of that name; raise Wrong with the nearest one."""
        if name not in self._messages:
            raise Wrong("message", f"no message {name!r} in {self.name}", _near(name, self._messages))
        return self._messages[name]

    def signal(self, message: str, name: str, argument: str = "signals") -> Any:
        """Return cantools' signal of that name; raise Wrong with the nearest one."""
        signals = {each.name: each for each in self.message(message).signals}
        if name not in signals:
            told = f"no signal {name!r} in message {message} of {self.name}"
            raise Wrong(f"{argument}.{name}", told, _near(name, signals))
        return signals[name]

    def encode(self, message: str, signals: Mapping[str, Any]) -> CanFrame:
        """Return the frame of a message with these values; those left out have their initial value or 0.

        Raise Wrong for names and values that it does not have.
        """
        found = self.message(message)
        given = {name: self.value(message, name, value) for name, value in signals.items()}
        from cantools.errors import Error

        values = {each.name: _initial(each) for each in found.signals} | given
        try:
            data = found.encode(values, strict=False)
        except (Error, ValueError, TypeError, KeyError, OverflowError) as error:
            raise Wrong("signals", f"message {message} cannot have these values: {error}") from error
        return CanFrame(
            id=found.frame_id, data=ByteString(data), extended=found.is_extended_frame, fd=found.is_fd
        )

    def decode(self, message: str, data: bytes) -> dict[str, Any]:
        """Return the values of the signals in a frame, named values by their names; raise LabError."""
        from cantools.errors import Error

        try:
            decoded = self.message(message).decode(data, allow_truncated=True, allow_excess=True)
        except (Error, ValueError, KeyError) as error:
            raise LabError(f"{message} [{ByteString(data)}] cannot be decoded: {error}") from error
        return {name: _plain(value) for name, value in decoded.items()}

    def value(self, message: str, name: str, value: Any, argument: str = "signals") -> float | str:
        """Return a number (``900``, ``"900 rpm"``) or named value of a signal.

        Raise Wrong for one that it cannot have, and for another unit than its own.
        """
        signal = self.signal(message, name, argument)
        at = f"{argument}.{name}"
        if isinstance(value, str):
            number, _, unit = value.strip().partition(" ")
            choices = [str(each) for each in (signal.choices or {}).values()]
            if value in choices:
                return value
            if not _NUMBER.fullmatch(number):
                raise Wrong(at, f"signal {name} has no value {value!r}", _near(value, choices))
            self.check_unit(signal, unit.strip(), at)
            value = float(number)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Wrong(at, f"signal {name} needs a number, not {value!r}")
        low, high = limits(signal)
        if not low <= value <= high:
            shown = f" {signal.unit}" if signal.unit else ""
            raise Wrong(at, f"{name}: {value:g}{shown} is not from {low:g} to {high:g}{shown}")
        return value

    def check_unit(self, signal: Any, unit: str, at: str) -> None:
        """Raise Wrong for a unit that is not the signal's."""
        if unit and unit != (signal.unit or ""):
            raise Wrong(at, f"signal {signal.name} is in {signal.unit or 'no unit'}, not {unit}")


def limits(signal: Any) -> tuple[float, float]:
    """Return the least and the greatest value of a signal: what the file says, else what its bits hold."""
    if signal.is_float:
        low, high = float("-inf"), float("inf")
    elif signal.is_signed:
        low, high = -(2 ** (signal.length - 1)), 2 ** (signal.length - 1) - 1
    else:
        low, high = 0, 2**signal.length - 1
    ends = sorted((low * signal.scale + signal.offset, high * signal.scale + signal.offset))
    return (
        ends[0] if signal.minimum is None else max(ends[0], float(signal.minimum)),
        ends[1] if signal.maximum is None else min(ends[1], float(signal.maximum)),
    )


def database_misfits(path: str) -> Iterable[Misfit]:
    """Say why a file is no database; of one that has to be fetched nothing is known before the run."""
    if is_url(path):
        return
    try:
        Database(path)
    except Wrong as wrong:
        yield wrong.misfit


def problems(
    given: Mapping[str, Any],
    devices: Mapping[str, Mapping[str, Any]],
    look: Callable[[Database], object],
) -> Iterable[Misfit]:
    """Say what `look` finds wrong in the database of a step, going by what is known before the run."""
    path = known_path(given, devices)
    if path is None:
        return
    try:
        look(Database(path))
    except Wrong as wrong:
        yield wrong.misfit


def of_bus(bus: CanBus, own: str | None) -> Database:
    """Return the database of a step or else of its bus, read once for each bus; raise RecipeFault."""
    path = own or getattr(bus, "database", None)
    if not path:
        raise RecipeFault("no database of messages", hint="give the step or the bus the option 'database'")
    key = f"database {path}"
    found = bus.work.kept.get(key)
    if not isinstance(found, Database):
        try:
            found = bus.work.kept[key] = Database(path)
        except Wrong as wrong:
            raise RecipeFault(wrong.misfit.message, hint=wrong.misfit.hint) from wrong
    return found


def known_path(given: Mapping[str, Any], devices: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return the database of a step, if it is known before the run and a file that is here."""
    if "database" not in given:
        return None
    path = given["database"] or devices.get("bus", {}).get("database")
    return path if path and not is_url(path) else None


def _initial(signal: Any) -> Any:
    """Return what a signal is when nobody says: its initial value, or what is nearest to 0."""
    if signal.initial is not None:
        return signal.initial
    low, high = limits(signal)
    return min(max(0.0, low), high)


def _plain(value: Any) -> Any:
    return str(value) if not isinstance(value, (int, float, str)) else value


def _near(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(name, names, 1)
    return f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(names[:20]) or 'none'}"
