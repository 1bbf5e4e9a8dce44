"""Choose which frames of a CAN bus are received."""

from __future__ import annotations

from runner.api import CanBus, Context, Module, Result, arg, device
from runner.api import CanFilter as BusFilter
from runner.modules.can.frame import Filter, filters_of


class Filtered(Result):
    """What lets frames pass from now on; nothing: all of them do."""

    filters: tuple[BusFilter, ...]


class CanFilter(Module):
    """Choose which frames of a CAN bus are received, by the adapter or the kernel where they can.

    What does not pass is neither recorded nor logged. Without `filters` everything is received again.

    Example::

        - can_filter: {filters: [{id: 0x7E8, mask: 0x7F8}]}
        - can_filter:
    """

    filters: list[Filter] = arg(default=[], primary=True, help="a frame passes that one of these lets pass")
    bus: CanBus = device(help="the bus")

    def run(self, context: Context) -> Filtered:  # noqa: ARG002 - nothing to wait for
        """Set the filters."""
        filters = filters_of(self.filters)
        self.bus.filter(filters)
        return Filtered(filters=filters)
