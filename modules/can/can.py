"""CAN through python-can, received from all the time (python-can documentation, "Bus API")."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from runner.api import (
    BusState,
    BusTask,
    CanBus,
    CanFilter,
    CanFrame,
    Context,
    Driver,
    Duration,
    FilePath,
    LabError,
    Misfit,
    Needs,
    RecipeFault,
    Size,
    arg,
)
from runner.api.frames import Entry, FrameRecord, check_frame
from runner.modules.can import interfaces, link
from runner.modules.can.echoes import Echoes
from runner.modules.can.log_file import LogFile, channel_in_log
from runner.modules.can.port import opened

_LISTEN = 0.1
"""Seconds after which the receiver looks whether it should end."""
_DRAIN = 1.0
"""Seconds for which it takes what has come by then: the log is to be whole."""


class Can(Driver, CanBus):
    """A CAN bus, on any interface that python-can knows.

    It is opened once and received from until the end of the run; what came meanwhile is kept, and
    written into a log among the run's artifacts. On SocketCAN the kernel has the bit timing: it is
    compared with what stands here, and set when the user on the host may do that.
    Tried on real SocketCAN, slcan, serial, udp_multicast and virtual; the other interfaces on no hardware.

    Example::

        devices:
          can0: {driver: can, interface: socketcan, channel: can0, bitrate: 500000}
          body: {driver: can, interface: pcan, channel: PCAN_USBBUS1, bitrate: 500000, fd: true,
                 data_bitrate: 2000000, sample_point: 80, data_sample_point: 70, log: blf}
    """

    interface: str = arg(help="python-can's name: socketcan, slcan, pcan, kvaser, virtual, udp_multicast …")
    channel: str | int | None = arg(default=None, help="which bus of that interface: can0, /dev/ttyACM0, 0 …")
    bitrate: int | None = arg(default=None, help="bits per second, where the interface sets it", minimum=1)
    fd: bool = arg(default=False, help="CAN FD")
    data_bitrate: int | None = arg(
        default=None, help="bits per second of the data phase of CAN FD", minimum=1
    )
    sample_point: float | None = arg(
        default=None, help="where in a bit it is sampled, in per cent", minimum=50, maximum=99.9
    )
    data_sample_point: float | None = arg(
        default=None, help="the same in the data phase of CAN FD", minimum=50, maximum=99.9
    )
    receive_own_messages: bool = arg(default=False, help="whether frames that we send are also received")
    listen_only: bool = arg(
        default=False, help="only listen: send nothing, acknowledge nothing, where the interface can"
    )
    options: dict[str, Any] = arg(default={}, help="more options of the interface, as python-can names them")
    record: int = arg(default=65536, help="how many frames are kept", minimum=1)
    log: Literal["candump", "asc", "blf", "none"] = arg(
        default="candump", help="the format of the log among the run's artifacts; none: no log"
    )
    log_limit: Size = arg(default=Size("1GiB"), help="at this size the log ends; can_info tells")
    database: FilePath | None = arg(
        default=None, help="what messages and signals mean: a DBC, ARXML, KCD or SYM file"
    )

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say what the interface cannot take, and what is wrong with the database."""
        yield from interfaces.misfits(given)
        if given.get("database"):
            from runner.modules.can.database import database_misfits

            yield from database_misfits(given["database"])

    def needs(self) -> Needs:
        """Return the port of an adapter that is behind one, and what its interface needs."""
        channel = str(self.channel or "")
        wire = interfaces.WIRES.get(self.interface)
        programs = {"ip": "iproute2"} if self.interface == "socketcan" else {}
        libraries = {} if wire is None else dict(wire.libraries)
        return Needs(nodes=(channel,) if "/" in channel else (), programs=programs, libraries=libraries)

    def open(self) -> None:
        """Open the bus and begin to receive; raise Unreachable or Unsupported when it is not there."""
        settings = {name: getattr(self, name) for name in _SETTINGS}
        self._state: str | None = None
        if self.interface == "socketcan" and isinstance(self.channel, str):
            found = link.prepare(self.channel, settings)
            self._state = None if found is None else found.state
        self._port = opened(settings)
        self._name = self._port.name
        self._wall = time.time() - time.monotonic()
        self._frames = FrameRecord(self._name, self.record, self._port.frame)
        self._echoes = Echoes()
        self._counts = {"bus_off": 0, "controller_overruns": 0}
        self._cyclic: tuple[tuple[object, ...], ...] = ()
        self._log = self._opened_log()
        self._ending = threading.Event()
        self._receiver = threading.Thread(target=self._receive, name=f"receive {self._name}", daemon=True)
        self._receiver.start()

    def close(self) -> None:
        """End what goes on on the bus, stop receiving, close it, and end its log."""
        closing: list[Callable[[], object]] = [self.work.close, self._stop, self._port.close]
        if self._log is not None:
            closing.append(self._log.close)
        failed: list[LabError] = []
        for each in closing:
            try:
                each()
            except LabError as error:
                failed.append(error)
        if failed:
            raise failed[0]

    def artifacts(self) -> Mapping[str, Path]:
        """Return the log of the bus."""
        if self._log is None:
            return {}
        return {self._log.path.suffix: self._log.path}

    def send(self, frame: CanFrame, timeout: Duration) -> int:
        """Send a frame and return its place in the record.

        Raise RecipeFault for one that no bus can carry, LabError when this bus refuses it.
        """
        check_frame(frame)
        if frame.fd and not self.fd:
            raise RecipeFault(f"{self._name} is no CAN FD bus", hint="give the device the option fd: true")
        if self.listen_only:
            raise RecipeFault(f"{self._name} only listens", hint="its option is listen_only: true")
        with self._port.sending:
            if self.interface == "udp_multicast":
                self._echoes.expect(frame)
            number = self._frames.add(frame, sent=True, time=time.monotonic())
            self._port.send(frame, float(timeout), self._state)
        return number

    def send_periodic(
        self, frames: Sequence[CanFrame], period: Duration, duration: Duration | None
    ) -> BusTask:
        """Send frames in turn; on SocketCAN the kernel does it (its broadcast manager)."""
        for frame in frames:
            check_frame(frame)
        same = len({(frame.id, frame.extended) for frame in frames}) == 1
        if self.interface != "socketcan" or not same or self.receive_own_messages or self.listen_only:
            return super().send_periodic(frames, period, duration)
        self._cyclic += tuple(_content(self._port.message(frame)) for frame in frames)
        return self._port.cyclic(frames, period, duration)

    def latest(self) -> int:
        """Return the number of the newest frame in the record."""
        return self._frames.latest()

    def find(self, number: int) -> CanFrame | None:
        """Return the frame of that place in the record; None when it is not there."""
        return self._frames.find(number)

    def next(self, after: int, timeout: float, context: Context) -> CanFrame | None:
        """Wait for the first received frame numbered above `after`."""
        return self._frames.next(after, timeout, context)

    def filter(self, filters: Sequence[CanFilter]) -> None:
        """Receive only frames that one of these lets pass, by the adapter or kernel where they can."""
        self._port.filter(filters)

    def set_state(self, state: BusState) -> None:
        """Take part in the bus or only listen; raise Unsupported when the interface cannot change."""
        self._port.set_state(state)

    def flush(self) -> None:
        """Throw away what waits to be sent; raise Unsupported when the interface cannot."""
        self._port.flush()

    def info(self) -> Mapping[str, object]:
        """Return what the interface says of itself, the settings and the counters."""
        log = self._log
        return {
            **{name: getattr(self, name) for name in _SETTINGS if name != "options"},
            "description": self._port.description,
            "state": self._state or self._port.state(),
            "protocol": self._port.protocol,
            **self._frames.counters(),
            **self._counts,
            "overruns": self._port.overruns(),
            "retries": self._port.retries,
            "garbled": self._port.garbled,
            "logged": 0 if log is None else log.written,
            "not_logged": 0 if log is None else log.missed,
            "log_full": log is not None and log.full,
        }

    def _opened_log(self) -> LogFile | None:
        if self.log == "none":
            return None
        try:
            self._logged_channel = channel_in_log(self._port.channel, self.log)
            return LogFile(self._frames, self._message, self.log, self.log_limit, self._name)
        except LabError:
            self._port.close()
            raise

    def _stop(self) -> None:
        self._ending.set()
        self._receiver.join()

    def _receive(self) -> None:
        try:
            while not self._ending.is_set():
                self._take(_LISTEN)
            until = time.monotonic() + _DRAIN
            while self._take(0.0) and time.monotonic() < until:
                pass
        except LabError as error:
            self._frames.fail(error)
        except Exception as error:  # noqa: BLE001 - a receiver that ends unheard leaves a bus that is deaf
            shown = f"{type(error).__name__}: {error}"
            self._frames.fail(LabError(f"cannot receive from {self._name} any more: {shown}"))

    def _take(self, timeout: float) -> bool:
        """Take what comes next; tell whether anything came."""
        message, seen = self._port.receive(timeout)
        if message is None:
            return False
        if message.is_error_frame:
            self._note_error(message)
        if self._is_wanted(message):
            self._frames.receive(message, seen, ours=not message.is_rx)
        return True

    def _is_wanted(self, message: Any) -> bool:
        """Tell whether a frame is to be kept; one that is not of our own sending is received from then on.

        SocketCAN marks all frames of this machine, those of other programs, too; python-can's
        broadcast manager is another program in that.
        """
        if self._port.marks_all_local and not message.is_rx:
            message.is_rx = self.receive_own_messages or _content(message) not in self._cyclic
            return True
        if self.receive_own_messages:
            message.is_rx = True
            return True
        return message.is_rx and not (
            self._echoes.expected and self._echoes.is_one(self._port.frame(message))
        )

    def _note_error(self, message: Any) -> None:
        self._frames.count_error()
        self._counts["controller_overruns"] += self._port.is_overrun(message)
        state = self._port.state_after(message)
        if state is not None:
            self._counts["bus_off"] += state == "bus-off" and self._state != "bus-off"
            self._state = state

    def _message(self, entry: Entry) -> Any:
        """Return a frame for the log: with the time of day, and whether it was received."""
        if not isinstance(entry, CanFrame):
            message, seen = entry
        else:
            message, seen = self._port.message(entry), entry.time
            message.is_rx = not entry.sent
            message.is_error_frame = entry.error
        message.timestamp = seen + self._wall
        message.channel = self._logged_channel
        return message


_SETTINGS = (
    "interface",
    "channel",
    "bitrate",
    "fd",
    "data_bitrate",
    "sample_point",
    "data_sample_point",
    "receive_own_messages",
    "listen_only",
    "options",
)


def _content(message: Any) -> tuple[object, ...]:
    return (message.arbitration_id, message.is_extended_id, message.is_fd, bytes(message.data))
