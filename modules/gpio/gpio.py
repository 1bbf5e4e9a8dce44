"""A line of a GPIO chip of the host, through the kernel's character device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from runner.api import Context, Driver, Misfit, Unsupported, arg
from runner.api.gpio import GpioLine, LineEvent, LineState
from runner.modules.gpio.edges import Edges
from runner.modules.gpio.line import open_input, open_output
from runner.modules.gpio.line_options import LineOptions


class Gpio(LineOptions, Driver, GpioLine):
    """A line of a GPIO chip of the host (Linux 5.10 or newer, /dev/gpiochipN).

    It is requested once and ours until the end of the run. An input's edges are recorded from then
    on, with the time at which the kernel saw them.

    Example::

        devices:
          reset: {driver: gpio, chip: gpiochip0, line: 17, direction: output, active_low: true}
          fault: {driver: gpio, line: FAULT_N, direction: input, active_low: true, bias: pull_up}
    """

    direction: Literal["input", "output"] = arg(help="whether it is read or driven")
    record: int = arg(default=65536, help="how many edges are kept", minimum=1)

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say what only an output has."""
        yield from super().misfits(given)
        usual = {"drive": "push_pull", "initial": "keep", "at_close": "keep"}
        for name, value in usual.items() if given.get("direction") == "input" else ():
            if given.get(name, value) != value:
                yield Misfit(name, f"an input has no {name}", "direction: output")

    def open(self) -> None:
        """Request the line; raise LabError when it is not there, or somebody else has it."""
        place, settings = self.place(), self.settings()
        self._edges: Edges | None = None
        if self.direction == "output":
            self._line = open_output(self.kernel, place, settings)
            return
        self._line = open_input(self.kernel, place, settings)
        self._edges = Edges(self._line.descriptor, str(place), self.record)

    def close(self) -> None:
        """Leave it as `at_close` says, and give it back."""
        try:
            if self._edges is not None:
                self._edges.close()
            else:
                self._line.leave()
        finally:
            self._line.close()

    def get(self) -> LineState:
        """Read it."""
        return self._line.get()

    def set(self, state: LineState) -> None:
        """Drive it; raise Unsupported when it is an input."""
        if self.direction == "input":
            raise Unsupported(f"{self.label()} is an input", hint="give the device direction: output")
        self._line.set(state)

    def latest(self) -> int:
        """Return the number of the newest edge."""
        return self._recorded().latest()

    def next(self, after: int, timeout: float, context: Context) -> LineEvent | None:
        """Wait for the first edge numbered above `after`."""
        return self._recorded().next(after, timeout, context)

    def label(self) -> str:
        """Return the line and its chip."""
        return str(self._line.place)

    def _recorded(self) -> Edges:
        if self._edges is None:
            raise Unsupported(
                f"{self.label()} is an output, whose edges nobody sees",
                hint="give the device direction: input",
            )
        return self._edges
