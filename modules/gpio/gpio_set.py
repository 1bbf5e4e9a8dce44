"""Drive a GPIO line."""

from __future__ import annotations

from runner.api import Context, LabError, Module, Result, arg, device
from runner.api.gpio import GpioLine, LineState


class Driven(Result):
    """What the line read before and after."""

    previous: LineState
    value: LineState


class GpioSet(Module):
    """Drive a GPIO line, and read it back.

    Example::

        - gpio_set: {device: reset, value: active}
    """

    value: LineState = arg(primary=True, help="what the line is to mean")
    verify: bool = arg(
        default=True, help="fail when the line then reads otherwise; false: something else may pull it"
    )
    gpio: GpioLine = device(help="the line, an output")

    def run(self, context: Context) -> Driven:
        """Drive it."""
        previous = self.gpio.get()
        self.gpio.set(self.value)
        value = self.gpio.get()
        if value != self.value and self.verify:
            name = context.devices.get("gpio", "gpio")
            raise LabError(
                f"{name!r} on bench {context.bench!r} ({self.gpio.label()}) still reads {value} after it was "
                f"driven {self.value}",
                evidence={"device": name, "expected": self.value, "actual": value},
                hint="is something else pulling the line? verify: false does not look",
            )
        return Driven(previous=previous, value=value)

    def predict(self, context: Context) -> str:
        """Read the line, and say whether this would change it."""
        name, now = context.devices.get("gpio", "gpio"), self.gpio.get()
        if now == self.value:
            return f"{name!r} is {now} already: nothing would change"
        return f"would drive {name!r} {self.value}: it is {now}"
