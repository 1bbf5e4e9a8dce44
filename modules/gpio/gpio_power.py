"""A relay or a supply's enable pin at a GPIO line, as a power switch."""

from __future__ import annotations

from runner.api import Driver, Power, PowerState
from runner.modules.gpio.line import open_output
from runner.modules.gpio.line_options import LineOptions


class GpioPower(LineOptions, Driver, Power):
    """A board's power behind a GPIO line of the host: on while the line is active.

    It is driven from the beginning of the run on, and as it was unless `initial` says otherwise.
    The state is what is on the line: that the relay behind it has switched only the board can tell.

    Example::

        devices:
          power: {driver: gpio_power, chip: /dev/gpiochip0, line: 5, active_low: true, drive: open_drain}
    """

    def open(self) -> None:
        """Request the line; raise LabError when it is not there, or somebody else has it."""
        self._line = open_output(self.kernel, self.place(), self.settings())

    def close(self) -> None:
        """Leave it as `at_close` says, and give it back."""
        try:
            self._line.leave()
        finally:
            self._line.close()

    def on(self) -> None:
        """Make the line active."""
        self._line.set("active")

    def off(self) -> None:
        """Make the line inactive."""
        self._line.set("inactive")

    def state(self) -> PowerState:
        """Read the line."""
        return "on" if self._line.get() == "active" else "off"

    def label(self) -> str:
        """Return the line and its chip."""
        return str(self._line.place)
