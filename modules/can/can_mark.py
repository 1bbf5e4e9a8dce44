"""Remember how far a CAN bus has come."""

from __future__ import annotations

from runner.api import CanBus, Context, Module, Result, arg, device


class Marked(Result):
    """The number of the newest frame in the record of the bus."""

    number: int


class CanMark(Module):
    """Remember how far a CAN bus has come, for `after_mark` of `can_expect`.

    Example::

        - can_mark: ignition
        - power_on:
        - can_expect: {id: 0x100, after_mark: ignition, within: 5s}
    """

    name: str = arg(primary=True, help="the mark's name on this bus; one that is there is moved")
    bus: CanBus = device(help="the bus")

    def run(self, context: Context) -> Marked:  # noqa: ARG002 - nothing to wait for
        """Note the newest frame."""
        number = self.bus.work.marks[self.name] = self.bus.latest()
        return Marked(number=number)
