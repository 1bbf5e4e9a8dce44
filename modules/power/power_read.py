"""Measure what a board takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

from runner.api import Context, Duration, Module, Power, PowerReading, Result, arg, device
from runner.api.switching import Outlet


class Quantities(Result):
    """One figure for each quantity; None where the supply cannot measure it."""

    voltage: float | None
    """In volts."""
    current: float | None
    """In amperes."""
    power: float | None
    """In watts."""
    apparent_power: float | None
    """Voltage by current, in volt-amperes."""


class Measured(Quantities):
    """The mean of all readings, their least and largest figures, and each of them."""

    minimum: Quantities
    maximum: Quantities
    readings: tuple[PowerReading, ...]


class PowerRead(Module):
    """Measure voltage, current and power of the board's supply.

    With `on_change` a reading counts only when it differs from the one before: for supplies that
    measure more rarely than they answer. The first counts always, and the step's `timeout:` limits
    how long the others are waited for.

    Example::

        - power_read: {count: 5, interval: 200ms}
          measure:
            idle_power: {value: result.power, unit: W, max: 2.5}
            peak_current: {value: result.maximum.current, unit: A, max: 0.9}
        - power_read:
          until: result.current < 0.1
          timeout: 30s
    """

    reads_only = True

    count: int = arg(default=1, help="how many readings are taken", minimum=1)
    interval: Duration = arg(default=Duration("1s"), help="from one reading to the next")
    on_change: bool = arg(default=False, help="count a reading only when it differs from the one before")
    within: Duration = arg(default=Duration("30s"), help="how long the supply may take to answer")
    power: Power = device(help="the supply that measures")

    def run(self, context: Context) -> Measured:
        """Take the readings."""
        outlet = Outlet(self.power, context, within=self.within)
        readings = [outlet.read()]
        while len(readings) < self.count:
            context.progress(len(readings), self.count, "readings")
            readings.append(self._next(outlet, context, readings[-1]))
        return Measured(
            **_figures(readings, fmean),
            minimum=Quantities(**_figures(readings, min)),
            maximum=Quantities(**_figures(readings, max)),
            readings=tuple(readings),
        )

    def _next(self, outlet: Outlet, context: Context, last: PowerReading) -> PowerReading:
        while True:
            with outlet.blamed(f"another reading than {last} was awaited"):
                context.sleep(self.interval)
            reading = outlet.read()
            if not self.on_change or reading != last:
                return reading


def _figures(readings: Sequence[PowerReading], of: Callable[[list[float]], float]) -> dict[str, float | None]:
    each = {
        "voltage": [reading.voltage for reading in readings],
        "current": [reading.current for reading in readings],
        "power": [reading.power for reading in readings],
        "apparent_power": [_apparent(reading) for reading in readings],
    }
    known = {name: [value for value in values if value is not None] for name, values in each.items()}
    return {name: of(values) if values else None for name, values in known.items()}


def _apparent(reading: PowerReading) -> float | None:
    if reading.voltage is None or reading.current is None:
        return None
    return reading.voltage * reading.current
