"""Ask how a CAN bus stands."""

from __future__ import annotations

from typing import Any

from runner.api import CanBus, Context, Module, Result, device


class BusInfo(Result):
    """State, settings and counters of a bus."""

    state: str
    """``active``, ``warning``, ``passive``, ``bus-off``, or ``unknown`` when nobody can tell."""
    protocol: str
    """``CAN_20``, ``CAN_FD`` …; empty when nobody can tell."""
    description: str
    received: int
    sent: int
    errors: int
    """Error frames."""
    forgotten: int
    """Frames that have left the record."""
    bus_off: int
    """How often it has gone bus-off."""
    overruns: int | None
    """Frames that the kernel has dropped; None when nobody counts."""
    retries: int
    """How often a full transmit queue was tried again."""
    tasks: tuple[str, ...]
    """What goes on on the bus beside the steps."""
    all: dict[str, Any]
    """Everything that the driver tells."""


class CanInfo(Module):
    """Ask how a CAN bus stands: state, settings, counters.

    Example::

        - can_info:
          expect: [result.state == 'active', result.errors == 0, result.bus_off == 0]
    """

    reads_only = True

    bus: CanBus = device(help="the bus")

    def run(self, context: Context) -> BusInfo:  # noqa: ARG002 - nothing to wait for
        """Ask."""
        info: dict[str, Any] = dict(self.bus.info())
        work = self.bus.work
        return BusInfo(
            state=info.get("state", "unknown"),
            protocol=info.get("protocol", ""),
            description=info.get("description", info.get("interface", "")),
            received=info.get("received", 0),
            sent=info.get("sent", 0),
            errors=info.get("errors", 0),
            forgotten=info.get("forgotten", 0),
            bus_off=info.get("bus_off", 0),
            overruns=info.get("overruns"),
            retries=info.get("retries", 0),
            tasks=tuple(name for name in work.names() if work.find(name) is not None),
            all=info,
        )
