"""What instruments can do: the interfaces that modules ask for and drivers offer.

`Console` is an interface too; it is written with its engine in `runner.console`.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from runner.api.bus_work import BusTask, BusWork, Periodic
from runner.api.module import Result
from runner.api.switch_calls import SwitchCalls
from runner.api.values import ByteString, Duration, Size
from runner.api.verdicts import Unsupported

if TYPE_CHECKING:
    from runner.api.context import Context

PowerState = Literal["on", "off"]
PowerVerb = Literal["cycle", "force_on", "force_off", "rescue"]
"""What only some switches can do."""
_POWER_VERBS: tuple[PowerVerb, ...] = ("cycle", "force_on", "force_off", "rescue")


class Interface(abc.ABC):  # noqa: B024 - a marker: every interface adds its own methods
    """A capability of an instrument. Its name in recipes and documents is the class's name."""

    listens: ClassVar[bool] = False
    """True when it is opened with the first step on its bench, whatever that needs: nothing is missed."""


class PowerReading(Result):
    """What a supply measures; None where it cannot."""

    voltage: float | None = None
    """In volts."""
    current: float | None = None
    """In amperes."""
    power: float | None = None
    """In watts."""


class Power(Interface):
    """A switch in the supply of a board. Modules use it through `runner.api.switching.Outlet`."""

    switch_calls: SwitchCalls | None = None
    """Where calls to it are made; the first module that asks makes it."""

    @property
    def answers_within(self) -> Duration:
        """How long it may take to answer where that is more than a module grants: a person's time."""
        return Duration(0)

    def abandon(self) -> bool:
        """End the call that is under way, which nobody waits for any more; False where it ends by itself."""
        return False

    @abc.abstractmethod
    def on(self) -> None:
        """Switch it on; on a switch that is on, do nothing."""

    @abc.abstractmethod
    def off(self) -> None:
        """Switch it off; on a switch that is off, do nothing."""

    def state(self) -> PowerState | None:
        """Read the state back; None when this switch cannot tell."""
        return None

    def read(self) -> PowerReading | None:
        """Measure voltage, current and power; None when this switch cannot."""
        return None

    def cycle(self) -> None:
        """Let the switch itself take the power away and give it back, after a time that it chooses.

        Raise Unsupported when it cannot. It may return before the power is back.
        """
        raise Unsupported("it cannot cycle the power by itself")

    def force_on(self) -> None:
        """Switch it on past what keeps it off (a long press, say); raise Unsupported when it cannot."""
        raise Unsupported("it has no way to force the power on")

    def force_off(self) -> None:
        """Switch it off past what keeps it on (a long press, say); raise Unsupported when it cannot."""
        raise Unsupported("it has no way to force the power off")

    def rescue(self) -> None:
        """Start the board in its rescue mode; raise Unsupported when the switch does not lead there."""
        raise Unsupported("it has no rescue mode")

    def capabilities(self) -> tuple[PowerVerb, ...]:
        """Return what it can do besides switching on and off, without doing it.

        These are the methods that its class has written; a driver whose options decide says it itself.
        """
        return tuple(name for name in _POWER_VERBS if getattr(type(self), name) is not getattr(Power, name))

    def label(self) -> str:
        """Return which outlet of which instrument it is, for messages; empty when there is only one."""
        return ""


class Medium(Interface):
    """Something that an image can be flashed to: a `Storage`, a `StorageMux` or a `Programmer`."""


class Storage(Medium, Interface):
    """A medium of a board that can be written and read from outside: a card, a disk, a file."""

    @abc.abstractmethod
    def size(self) -> Size | None:
        """Return how many bytes it holds; None for a file that grows."""

    @abc.abstractmethod
    def write(self, offset: int, data: bytes) -> None:
        """Write all of `data` at `offset`; raise LabError when the medium refuses or is full."""

    @abc.abstractmethod
    def read(self, offset: int, length: int) -> bytes:
        """Read up to `length` bytes at `offset`; fewer only at the end."""

    @abc.abstractmethod
    def flush(self) -> None:
        """Return when everything written has reached the medium."""

    def begin(self, target: str) -> None:
        """Prepare for writing or reading `target` (a partition's name; empty: the whole medium).

        May be called again for another one. Raise ValueError for one that there is not.
        """
        if target:
            raise ValueError(f"{type(self).__name__} has no target {target!r}")

    def end(self) -> None:
        """Give the medium back to the board; called once after it was begun, whatever happened."""

    def refusal(self) -> str:
        """Say why it is not to be written unless that is insisted on (it is mounted …); empty: it may be."""
        return ""

    def forget(self) -> None:
        """Drop what this machine remembers of the content, so that what is read next is the medium's."""


class Programmer(Medium, Interface):
    """A tool that puts whole image files onto a board, as the vendors of processors give away."""

    @abc.abstractmethod
    def program(self, image: str, target: str, context: Context) -> None:
        """Put the file at the path `image` onto the board; raise LabError with the tool's words.

        `target` says where to (empty: where the tool does by itself); ValueError when there is no such.
        """


MuxPosition = Literal["host", "dut", "off"]
"""Who has the medium: the machine that the mux is plugged into, the board, or neither."""


class StorageMux(Medium, Interface):
    """A switch that gives a removable medium (an SD card, a USB stick) to the host or to the board."""

    @abc.abstractmethod
    def switch(self, position: MuxPosition) -> None:
        """Give the medium to one side; raise Unsupported when this mux has no such position."""

    def position(self) -> MuxPosition | None:
        """Read who has it; None when this mux cannot tell."""
        return None

    @abc.abstractmethod
    def medium(self) -> str:
        """Return the path of its block device on the host, looked up anew at each call.

        Raise Unreachable when it is not there (yet): the kernel takes a while to find it after a switch.
        """

    def label(self) -> str:
        """Return which mux it is, for messages; empty when there is only one."""
        return ""


@dataclass(frozen=True)
class CanFrame:
    """A frame on a CAN bus (ISO 11898-1)."""

    id: int
    data: ByteString
    extended: bool = False
    remote: bool = False
    fd: bool = False
    bitrate_switch: bool = False
    error: bool = False
    """True for what the controller says of the bus; `id` is its error class (linux/can/error.h)."""
    time: float = 0.0
    """When it was seen, in seconds of the host's monotonic clock."""
    sent: bool = False
    """True for a frame of our own."""
    number: int = 0
    """Its place in the bus's record of this run, from 1."""
    dlc: int | None = None
    """Of a remote frame: how many bytes it asks for; None for none."""


@dataclass(frozen=True)
class CanFilter:
    """Lets a frame pass when the bits of its identifier that `mask` has are those of `id`.

    `extended`: whether its identifier has 29 bits; None for either.
    """

    id: int
    mask: int
    extended: bool | None = None

    def passes(self, frame: CanFrame) -> bool:
        """Tell whether it lets a frame pass."""
        return frame.id & self.mask == self.id & self.mask and self.extended in {None, frame.extended}


BusState = Literal["active", "passive"]


class CanBus(Interface):
    """A CAN bus that is received from all the time, into a bounded record."""

    listens = True
    last_sent: int = 0
    """The number of the latest frame that a recipe has sent; set by who sends it."""

    @abc.abstractmethod
    def send(self, frame: CanFrame, timeout: Duration) -> int:
        """Send a frame; return its place in the record. Raise LabError when the bus refuses it."""

    @abc.abstractmethod
    def latest(self) -> int:
        """Return the number of the newest frame in the record, 0 when there is none."""

    @abc.abstractmethod
    def next(self, after: int, timeout: float, context: Context) -> CanFrame | None:
        """Wait for the first received frame numbered above `after`; None when the time is over.

        Raise LabError when frames after `after` have been lost from the record.
        """

    @abc.abstractmethod
    def info(self) -> Mapping[str, object]:
        """State, counters and settings of the bus."""

    @property
    def work(self) -> BusWork:
        """What goes on on this bus beside the steps; its driver ends it with `close`."""
        made: BusWork = self.__dict__.setdefault("_work", BusWork())
        return made

    def find(self, number: int) -> CanFrame | None:
        """Return the frame of that place in the record, sent or received; None when it is not there."""
        del number
        return None

    def send_periodic(
        self, frames: Sequence[CanFrame], period: Duration, duration: Duration | None
    ) -> BusTask:
        """Send frames in turn, one each `period`, for so long or until it is stopped."""
        return Periodic(lambda frame: self.send(frame, period), frames, period, duration)

    def filter(self, filters: Sequence[CanFilter]) -> None:
        """Receive only frames that one of these lets pass; all of them when there is none."""
        del filters
        raise Unsupported("it cannot filter frames")

    def set_state(self, state: BusState) -> None:
        """Take part in the bus, or only listen; raise Unsupported when it cannot."""
        del state
        raise Unsupported("it cannot change its state")

    def flush(self) -> None:
        """Throw away what waits to be sent; raise Unsupported when it cannot."""
        raise Unsupported("it cannot throw away what waits to be sent")
