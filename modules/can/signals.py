"""Signals that a recipe expects: values, limits and units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runner.api import CanFrame, Misfit, Options, RecipeFault, arg
from runner.modules.can.database import Database, Wrong
from runner.modules.can.pattern import Pattern


class Limits(Options):
    """What a signal must be: from `min` to `max`."""

    min: float | None = arg(default=None, help="the least value that is fine")
    max: float | None = arg(default=None, help="the greatest value that is fine")
    unit: str = arg(default="", help="the unit of these; it must be that of the database")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say when nothing lies between the limits."""
        low, high = given["min"], given["max"]
        if low is None and high is None:
            yield Misfit("", "limits need min or max")
        elif low is not None and high is not None and low > high:
            yield Misfit("min", f"min {low:g} is above max {high:g}")


Wanted = Mapping[str, "float | str | Limits"]


class SignalCheck:
    """Compares the signals of a message with what is wanted."""

    def __init__(self, base: Database, message: str, wanted: Wanted) -> None:
        """Raise RecipeFault for names and values that the database does not have."""
        try:
            signal_misfits(base, message, wanted)
            found = base.message(message)
            self._wanted = {
                name: each if isinstance(each, Limits) else base.value(message, name, each)
                for name, each in wanted.items()
            }
        except Wrong as wrong:
            raise RecipeFault(wrong.misfit.message, hint=wrong.misfit.hint) from wrong
        self.message = message
        self.pattern = Pattern(id=found.frame_id, extended=found.is_extended_frame)
        self._base = base

    def values(self, frame: CanFrame) -> dict[str, Any]:
        """Return the values of all signals."""
        return self._base.decode(self.message, frame.data)

    def problem(self, frame: CanFrame) -> str:
        """Say what is wrong with the signals of a frame, with both sides; nothing when all are right."""
        if not self._wanted:
            return ""
        values = self.values(frame)
        wrong = [text for name in self._wanted if (text := self._problem(name, values.get(name)))]
        return "; ".join(wrong)

    def _problem(self, name: str, value: Any) -> str:
        wanted = self._wanted[name]
        unit = self._base.signal(self.message, name).unit
        said = f"{name} is {value}{f' {unit}' if unit else ''}"
        if value is None:
            return f"the frame has no signal {name}"
        if not isinstance(wanted, Limits):
            same = value == wanted if isinstance(wanted, str) else _equal(value, wanted)
            return "" if same else f"{said}, expected {wanted}"
        if not isinstance(value, (int, float)):
            return f"{said}, which is no number"
        if wanted.min is not None and value < wanted.min:
            return f"{said}, expected at least {wanted.min:g}"
        if wanted.max is not None and value > wanted.max:
            return f"{said}, expected at most {wanted.max:g}"
        return ""


def signal_misfits(base: Database, message: str, wanted: Wanted) -> None:
    """Raise Wrong for a message, signal, value or unit that the database does not have."""
    base.message(message)
    for name, each in wanted.items():
        if isinstance(each, Limits):
            base.check_unit(base.signal(message, name), each.unit, f"signals.{name}.unit")
        else:
            base.value(message, name, each)


def _equal(value: Any, wanted: float) -> bool:
    """Tell whether a decoded value is what was written, but for what a float cannot hold."""
    return isinstance(value, (int, float)) and abs(value - wanted) <= 1e-9 * max(1.0, abs(wanted))
