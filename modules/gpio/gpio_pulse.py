"""Give pulses on a GPIO line."""

from __future__ import annotations

from runner.api import Context, Duration, Module, Result, arg, device
from runner.api.gpio import GpioLine, LineState


class Pulsed(Result):
    """What was done to the line."""

    rests: LineState
    """How it is between the pulses, and at the end."""
    edges: int


class GpioPulse(Module):
    """Change a GPIO line for a while and change it back, once or several times: press a button.

    Whatever ends the step, the line is as it was before. Widths are kept to about a millisecond, as
    the host's scheduling allows.

    Example::

        - gpio_pulse: {device: button, width: 200ms}
        - gpio_pulse: {device: clock, width: 5ms, gap: 5ms, count: 8}
    """

    width: Duration = arg(default=Duration("100ms"), primary=True, help="how long each pulse is")
    count: int = arg(default=1, help="how many", minimum=1)
    gap: Duration = arg(default=Duration("100ms"), help="how long it rests between two")
    gpio: GpioLine = device(help="the line, an output")

    def run(self, context: Context) -> Pulsed:
        """Give them."""
        rests = self.gpio.get()
        other: LineState = "inactive" if rests == "active" else "active"
        for number in range(self.count):
            if number:
                context.sleep(self.gap)
            try:
                self.gpio.set(other)
                context.sleep(self.width)
            finally:
                self.gpio.set(rests)
        return Pulsed(rests=rests, edges=2 * self.count)
