"""Read a GPIO line."""

from __future__ import annotations

from runner.api import Context, Module, Result, device
from runner.api.gpio import GpioLine, LineState


class LineRead(Result):
    """What was read."""

    value: LineState


class GpioRead(Module):
    """Read a GPIO line, of an input or an output.

    Example::

        - gpio_read: {device: fault}
          expect: result.value == 'inactive'
    """

    reads_only = True

    gpio: GpioLine = device(help="the line")

    def run(self, context: Context) -> LineRead:
        """Read it."""
        value = self.gpio.get()
        context.log(f"{self.gpio.label()} is {value}", level="debug")
        return LineRead(value=value)
