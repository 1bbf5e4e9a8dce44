"""Measure what a board takes."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

from runner.api import Context, Duration, Module, Power, PowerReading, Result, Unsupported, arg, device


class Measured(Result):
    """The mean of all readings, and each of them; None where the supply cannot measure it."""

    voltage: float | None
    """In volts."""
    current: float | None
    """In amperes."""
    power: float | None
    """In watts."""
    readings: tuple[PowerReading, ...]


class PowerRead(Module):
    """Measure voltage, current and power of the board's supply.

    Example::

        - power_read: {count: 5, interval: 200ms}
          measure: {idle_power: {value: result.power, unit: W, max: 2.5}}
    """

    reads_only = True

    count: int = arg(default=1, help="how many readings are taken", minimum=1)
    interval: Duration = arg(default=Duration("1s"), help="from one reading to the next")
    power: Power = device(help="the supply that measures")

    def run(self, context: Context) -> Measured:
        """Take the readings."""
        readings = [self._reading(context)]
        for done in range(1, self.count):
            context.progress(done, self.count, "readings")
            context.sleep(self.interval)
            readings.append(self._reading(context))
        return Measured(
            voltage=_mean(each.voltage for each in readings),
            current=_mean(each.current for each in readings),
            power=_mean(each.power for each in readings),
            readings=tuple(readings),
        )

    def _reading(self, context: Context) -> PowerReading:
        reading = self.power.read()
        if reading is None:
            name = context.devices.get("power", "power")
            raise Unsupported(f"{name!r} on bench {context.bench!r} cannot measure")
        return reading


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
