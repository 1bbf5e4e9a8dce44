"""The options that every driver of a GPIO line has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runner.api import Misfit, Needs, arg
from runner.api.module import Declared
from runner.modules.gpio.find import Place, candidates, find
from runner.modules.gpio.kernel import Kernel
from runner.modules.gpio.line import AtClose, Bias, Drive, Initial, Settings


class LineOptions(Declared):
    """Which line, and how it is used."""

    kernel = Kernel()  # not an option: whom the line is asked of

    chip: str = arg(
        default="", help="its path, name (gpiochip0) or label; empty: any that has the named line"
    )
    line: int | str = arg(help="its offset in the chip, or its name")
    active_low: bool = arg(default=False, help="a low voltage is the active one")
    drive: Drive = arg(default="push_pull", help="how an output drives the line")
    bias: Bias = arg(default="as_is", help="the resistor at the line; not every chip has them")
    initial: Initial = arg(default="keep", help="what an output begins with; keep: what the line has")
    at_close: AtClose = arg(
        default="keep",
        help="how an output is left at the end of the run; keep: the chip decides, and most change nothing",
    )
    consumer: str = arg(default="runner", help="the name under which the kernel shows who uses the line")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say that a number needs a chip."""
        if not given.get("chip", "unknown") and isinstance(given.get("line"), int):
            yield Misfit("line", "a line that is a number needs a chip", "chip: /dev/gpiochip0")
        if isinstance(line := given.get("line"), int) and line < 0:
            yield Misfit("line", "lines are counted from 0")

    def needs(self) -> Needs:
        """Return the chip, or every chip of the host where it has to be looked for."""
        return Needs(nodes=tuple(candidates(self.kernel, self.chip)) or ("/dev/gpiochip0",))

    def place(self) -> Place:
        """Look the line up; raise Unreachable when it is not there."""
        return find(self.kernel, self.chip, self.line)

    def settings(self) -> Settings:
        """Return how it is used."""
        return Settings(
            active_low=self.active_low,
            drive=self.drive,
            bias=self.bias,
            initial=self.initial,
            at_close=self.at_close,
            consumer=self.consumer,
        )
