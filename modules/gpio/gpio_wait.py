"""Wait for a GPIO line."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from runner.api import Context, Duration, Misfit, Module, Result, TimedOut, arg, device
from runner.api.gpio import GpioLine, LineEvent, LineState


class Waited(Result):
    """The edges that were waited for, with the times at which the kernel saw them."""

    events: tuple[LineEvent, ...]
    """Empty when the line was in the wanted state already."""
    elapsed: Duration
    """From the beginning of the step to the last of these edges; 0 when it was earlier."""


class GpioWait(Module):
    """Wait until a GPIO line is in a state, or for edges on it.

    `state` passes at once on a line that is in it. `edge` counts edges from the beginning of the step
    on, or, with `since: last`, from the last edge that a step has waited for: none is missed between
    two steps.

    Example::

        - gpio_wait: {device: ready, state: active, within: 5s}
        - gpio_wait: {device: heartbeat, edge: rising, count: 3, within: 4s}
    """

    limited_by = "within"

    state: LineState | None = arg(default=None, help="wait until it is in this state")
    edge: Literal["rising", "falling", "both"] | None = arg(default=None, help="wait for edges of this kind")
    count: int = arg(default=1, help="how many edges", minimum=1)
    within: Duration = arg(default=Duration("10s"), help="how long it may take")
    since: Literal["now", "last"] = arg(default="now", help="where counting edges begins")
    gpio: GpioLine = device(help="the line, an input")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say that it waits for one or the other."""
        if given.keys() >= {"state", "edge"} and (given["state"] is None) == (given["edge"] is None):
            yield Misfit("state", "gpio_wait waits for a state or for an edge", "write one of them")
        if given.get("state") and given.get("count", 1) != 1:
            yield Misfit("count", "edges are counted, states are not", "write edge: rising or falling")

    def run(self, context: Context) -> Waited:
        """Wait."""
        began = time.monotonic()
        after = self.gpio.latest() if self.since == "now" else self.gpio.seen
        if self.state is not None and self.gpio.get() == self.state:
            return Waited(events=(), elapsed=Duration(0))
        wanted = {"active": "rising", "inactive": "falling"}[self.state] if self.state else self.edge
        found: list[LineEvent] = []
        while len(found) < self.count:
            event = self.gpio.next(after, began + self.within - time.monotonic(), context)
            if event is None:
                raise self._missed(context, found)
            after = self.gpio.seen = event.number
            if wanted in ("both", event.edge):
                found.append(event)
        return Waited(events=tuple(found), elapsed=Duration(max(0.0, found[-1].time - began)))

    def _missed(self, context: Context, found: list[LineEvent]) -> TimedOut:
        name, now = context.devices.get("gpio", "gpio"), self.gpio.get()
        wanted = f"did not become {self.state}" if self.state else f"had {len(found)} of {self.count} edges"
        kind = "" if self.state or self.edge == "both" else f" ({self.edge})"
        return TimedOut(
            f"{name!r} ({self.gpio.label()}) {wanted}{kind} within {self.within}: it is {now}",
            evidence={
                "expected": self.state or self.edge,
                "actual": now,
                "edges": [each.time for each in found],
                "limit": "within",
                "within": float(self.within),
            },
        )
