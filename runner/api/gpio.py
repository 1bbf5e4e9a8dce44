"""A line of a GPIO chip: what modules ask of it."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Literal

from runner.api.interfaces import Interface
from runner.api.module import Result

if TYPE_CHECKING:
    from runner.api.context import Context

LineState = Literal["active", "inactive"]
"""What a line means; which voltage that is says the driver's option `active_low`."""
Edge = Literal["rising", "falling"]
"""From inactive to active, or back."""


class LineEvent(Result):
    """An edge on a line, as the kernel saw it."""

    edge: Edge
    time: float
    """In seconds of the host's monotonic clock, read by the kernel in its interrupt handler."""
    number: int
    """Its place in the line's record of this run, from 1."""


class GpioLine(Interface):
    """A line of a GPIO chip. Edges on an input are recorded all the time."""

    seen: int = 0
    """The number of the latest edge that a step has waited for; set by who waits."""

    @abc.abstractmethod
    def get(self) -> LineState:
        """Read it; of an output, what is on the line, and not what was asked for."""

    @abc.abstractmethod
    def set(self, state: LineState) -> None:
        """Drive it; raise Unsupported when it is an input."""

    @abc.abstractmethod
    def latest(self) -> int:
        """Return the number of the newest edge in the record, 0 when there is none."""

    @abc.abstractmethod
    def next(self, after: int, timeout: float, context: Context) -> LineEvent | None:
        """Wait for the first edge numbered above `after`; None when the time is over.

        Raise Unsupported when it is an output, LabError when edges are lost.
        """

    @abc.abstractmethod
    def label(self) -> str:
        """Return which line of which chip it is, for messages."""
