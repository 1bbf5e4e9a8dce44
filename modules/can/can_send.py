"""Send frames on a CAN bus."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from runner.api import (
    ByteString,
    CanBus,
    CanFrame,
    Context,
    Duration,
    FilePath,
    Misfit,
    Module,
    RecipeFault,
    Result,
    arg,
    device,
)
from runner.api.frames import EXTENDED
from runner.modules.can.database import Wrong, of_bus, problems
from runner.modules.can.frame import Frame, frame_of
from runner.modules.can.sources import device_misfits, source_misfits


class Sent(Result):
    """The last frame as it was sent, and the place of the first one in the record of the bus."""

    frame: CanFrame
    number: int
    sent: int
    """How many frames."""
    elapsed: Duration
    rate: float
    """Frames a second; 0 for a single one."""


class CanSend(Module):
    """Send frames on a CAN bus: one, several, or one many times.

    A frame is written with its `id` and `data`, or as a `message` of a database with the values
    of its `signals`; signals that are left out have their initial value.

    Example::

        - can_send: {id: 0x123, data: "01 02"}
        - can_send: {id: 0x18DAF110, data: [2, 0x3E, 0], count: 10, period: 20ms}
        - can_send: {frames: [{id: 0x100, data: "01"}, {id: 0x101, remote: true, dlc: 8}]}
    """

    id: int | None = arg(default=None, help="its identifier", minimum=0, maximum=EXTENDED)
    data: ByteString = arg(default=ByteString(""), help='its bytes: "01 02", or a list of numbers')
    extended: bool | None = arg(
        default=None, help="whether its identifier has 29 bits; left out: when it is above 0x7FF"
    )
    remote: bool = arg(default=False, help="a remote frame: it asks for data and has none")
    fd: bool = arg(default=False, help="a CAN FD frame, of up to 64 bytes")
    bitrate_switch: bool = arg(default=False, help="CAN FD: send the data at the data bit rate")
    dlc: int | None = arg(default=None, help="how many bytes a remote frame asks for", minimum=0, maximum=64)
    frames: list[Frame] = arg(default=[], help="several frames, sent in this order")
    message: str = arg(default="", help="a message of the database, in the place of 'id' and 'data'")
    signals: dict[str, float | str] = arg(
        default={}, help='values of its signals: 900, "900 rpm", or a named value'
    )
    database: FilePath | None = arg(
        default=None, help="a DBC, ARXML, KCD or SYM file; left out: that of the bus"
    )
    count: int = arg(default=1, help="how many times it is all sent", minimum=1)
    period: Duration | None = arg(default=None, help="time from one frame to the next")
    rate: float | None = arg(default=None, help="frames a second, in the place of 'period'", minimum=0.001)
    timeout: Duration = arg(default=Duration("1s"), help="how long the bus may take to accept a frame")
    bus: CanBus = device(help="the bus it is sent on")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say which arguments exclude each other, and why no bus can carry a frame."""
        yield from source_misfits(given)
        if given.get("period") is not None and given.get("rate") is not None:
            yield Misfit("rate", "period and rate say the same", "leave one of them out")

    @classmethod
    def misfits_on(
        cls, given: Mapping[str, Any], devices: Mapping[str, Mapping[str, Any]]
    ) -> Iterable[Misfit]:
        """Say what the bus cannot send, and what its database does not have."""
        yield from device_misfits(given, devices)
        if given.get("message") and "signals" in given:
            yield from problems(given, devices, lambda base: base.encode(given["message"], given["signals"]))

    def run(self, context: Context) -> Sent:
        """Send it; what comes from now on may be its answer."""
        frames = self._frames()
        spacing = self._spacing()
        began = due = time.monotonic()
        first = 0
        total = self.count * len(frames)
        for index in range(total):
            context.check_cancelled()
            if due > time.monotonic():
                context.sleep(max(0.0, due - time.monotonic()))
            number = self.bus.send(frames[index % len(frames)], self.timeout)
            if not first:
                first = self.bus.last_sent = number
            due = began + (index + 1) * spacing
        elapsed = time.monotonic() - began
        return Sent(
            frame=frames[-1],
            number=first,
            sent=total,
            elapsed=Duration(elapsed),
            rate=0.0 if total == 1 else total / elapsed,
        )

    def _frames(self) -> list[CanFrame]:
        if self.message:
            base = of_bus(self.bus, self.database)
            try:
                return [base.encode(self.message, self.signals)]
            except Wrong as wrong:
                raise RecipeFault(wrong.misfit.message, hint=wrong.misfit.hint) from wrong
        return [frame_of(self)] if self.id is not None else [frame_of(each) for each in self.frames]

    def _spacing(self) -> float:
        if self.rate is not None:
            return 1 / self.rate
        return float(self.period or 0.0)
