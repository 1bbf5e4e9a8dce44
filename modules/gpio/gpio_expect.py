"""Count what a GPIO line does in a time."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from runner.api import Context, Duration, Failed, Misfit, Module, Result, arg, device
from runner.api.gpio import GpioLine, LineEvent

_SHOWN = 20


class Counted(Result):
    """What the line did."""

    count: int
    frequency: float | None
    """Of these edges, in hertz, by the kernel's times; None for fewer than two."""
    shortest: Duration | None
    """Between two of them, one after the other; None for fewer than two."""
    longest: Duration | None


class GpioExpect(Module):
    """Listen to a GPIO line for a time, and count its edges.

    Example::

        - gpio_expect: {device: heartbeat, edge: rising, during: 5s, at_least: 4, at_most: 6}
          measure: {blinking: {value: result.frequency, unit: Hz, min: 0.9, max: 1.1}}
        - gpio_expect: {device: fault, during: 10s, at_most: 0}
    """

    during: Duration = arg(primary=True, help="how long to listen")
    edge: Literal["rising", "falling", "both"] = arg(default="both", help="which edges are counted")
    at_least: int = arg(default=0, help="fewer edges fail", minimum=0)
    at_most: int | None = arg(
        default=None, help="more edges fail, as soon as they come; null: any number", minimum=0
    )
    since: Literal["now", "last"] = arg(
        default="now", help="where counting begins; last: behind the last edge that a step has seen"
    )
    gpio: GpioLine = device(help="the line, an input")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say that nothing can pass."""
        least, most = given.get("at_least"), given.get("at_most")
        if least is not None and most is not None and least > most:
            yield Misfit("at_most", f"no count is at least {least} and at most {most}")

    def run(self, context: Context) -> Counted:
        """Listen."""
        found = self._listen(context)
        if len(found) < self.at_least:
            raise self._failed(context, found, f"at least {self.at_least}")
        gaps = [later.time - earlier.time for earlier, later in itertools.pairwise(found)]
        return Counted(
            count=len(found),
            frequency=len(gaps) / sum(gaps) if sum(gaps) else None,
            shortest=Duration(min(gaps)) if gaps else None,
            longest=Duration(max(gaps)) if gaps else None,
        )

    def _listen(self, context: Context) -> list[LineEvent]:
        after = self.gpio.latest() if self.since == "now" else self.gpio.seen
        until = time.monotonic() + self.during
        found: list[LineEvent] = []
        while event := self.gpio.next(after, until - time.monotonic(), context):
            after = self.gpio.seen = event.number
            if event.time > until:
                break
            if self.edge in ("both", event.edge):
                found.append(event)
            if self.at_most is not None and len(found) > self.at_most:
                raise self._failed(context, found, f"at most {self.at_most}")
        return found

    def _failed(self, context: Context, found: list[LineEvent], wanted: str) -> Failed:
        name = context.devices.get("gpio", "gpio")
        kind = "edges" if self.edge == "both" else f"{self.edge} edges"
        return Failed(
            f"{name!r} ({self.gpio.label()}) had {len(found)} {kind}, expected {wanted} within {self.during}",
            evidence={
                "expected": wanted,
                "actual": len(found),
                "edges": [each.time for each in found[:_SHOWN]],
                "during": float(self.during),
            },
        )
