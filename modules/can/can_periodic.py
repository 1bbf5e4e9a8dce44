"""Send frames on a CAN bus again and again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

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

_FRAMES = ("id", "frames", "message")


class Going(Result):
    """What goes on then."""

    name: str
    running: bool
    changed: bool
    """False when it went on already with the same frames, or had ended."""
    sent: int | None = None
    """Of one that was stopped: how many frames it has sent; None when the kernel has sent them."""


class CanPeriodic(Module):
    """Send frames again and again beside the steps, until they are stopped or the bench is given back.

    It runs on the bench's host; on SocketCAN in the kernel. Starting a name again replaces what it
    sends; without `name`, `state: stopped` stops all of them.

    Example::

        - can_periodic: {name: ignition, id: 0x100, data: "01", period: 100ms}
        - can_periodic: {name: ignition, state: stopped}
    """

    name: str = arg(default="", help="what it is called on this bus; left out: by its identifier")
    state: Literal["started", "stopped"] = arg(default="started", help="what it is to be")
    id: int | None = arg(default=None, help="its identifier", minimum=0, maximum=EXTENDED)
    data: ByteString = arg(default=ByteString(""), help='its bytes: "01 02", or a list of numbers')
    extended: bool | None = arg(
        default=None, help="whether its identifier has 29 bits; left out: when it is above 0x7FF"
    )
    remote: bool = arg(default=False, help="a remote frame: it asks for data and has none")
    fd: bool = arg(default=False, help="a CAN FD frame, of up to 64 bytes")
    bitrate_switch: bool = arg(default=False, help="CAN FD: send the data at the data bit rate")
    dlc: int | None = arg(default=None, help="how many bytes a remote frame asks for", minimum=0, maximum=64)
    frames: list[Frame] = arg(default=[], help="several frames, one each period in turn")
    message: str = arg(default="", help="a message of the database, in the place of 'id' and 'data'")
    signals: dict[str, float | str] = arg(
        default={}, help='values of its signals: 900, "900 rpm", or a named value'
    )
    database: FilePath | None = arg(
        default=None, help="a DBC, ARXML, KCD or SYM file; left out: that of the bus"
    )
    period: Duration | None = arg(default=None, help="time from one frame to the next")
    duration: Duration | None = arg(default=None, help="when it ends by itself; left out: when stopped")
    bus: CanBus = device(help="the bus it is sent on")

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say which arguments exclude each other, and why no bus can carry a frame."""
        if given.get("state") == "stopped":
            for name in (*_FRAMES, "period"):
                if given.get(name):
                    yield Misfit(name, f"{name} belongs to one that is started", "leave it out")
            return
        yield from source_misfits(given)
        period = given.get("period", 1)
        if period is None or period < 0.0001:
            yield Misfit("period", "it needs a period of at least 100 us", "write period: 100ms")

    @classmethod
    def misfits_on(
        cls, given: Mapping[str, Any], devices: Mapping[str, Mapping[str, Any]]
    ) -> Iterable[Misfit]:
        """Say what the bus cannot send, and what its database does not have."""
        if given.get("state") == "stopped":
            return
        yield from device_misfits(given, devices)
        if given.get("message") and "signals" in given:
            yield from problems(given, devices, lambda base: base.encode(given["message"], given["signals"]))

    def run(self, context: Context) -> Going:  # noqa: ARG002 - it waits for nothing
        """Start or stop it; raise LabError when the bus had refused one of its frames."""
        work = self.bus.work
        if self.state == "stopped":
            names = [self.name] if self.name else [each for each in work.names() if _is_ours(each)]
            running = [each for each in names if work.find(_key(each)) is not None]
            sent = [work.stop(_key(each)) for each in names]
            total = None if None in sent else sum(each or 0 for each in sent)
            return Going(name=self.name, running=False, changed=bool(running), sent=total)
        frames, period = self._frames(), self.period or Duration(0)
        name = self.name or f"0x{frames[0].id:X}"
        what = (frames, float(period), self.duration)
        known = work.find(_key(name))
        if known is not None and known.what == what:
            return Going(name=name, running=True, changed=False)
        work.stop(_key(name))
        task = self.bus.send_periodic(frames, period, self.duration)
        task.what = what
        work.start(_key(name), task)
        return Going(name=name, running=True, changed=True)

    def _frames(self) -> tuple[CanFrame, ...]:
        if self.message:
            try:
                return (of_bus(self.bus, self.database).encode(self.message, self.signals),)
            except Wrong as wrong:
                raise RecipeFault(wrong.misfit.message, hint=wrong.misfit.hint) from wrong
        return (frame_of(self),) if self.id is not None else tuple(frame_of(each) for each in self.frames)


_PREFIX = "periodic "


def _key(name: str) -> str:
    """Return the key of its task among those of the bus."""
    return name if _is_ours(name) else _PREFIX + name


def _is_ours(key: str) -> bool:
    return key.startswith(_PREFIX)
