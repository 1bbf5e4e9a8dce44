"""One bus of python-can: its messages, its errors, and what it can be asked."""

from __future__ import annotations

import errno
import struct
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from runner.api import (
    BusState,
    BusTask,
    ByteString,
    CanFilter,
    CanFrame,
    Duration,
    LabError,
    Unreachable,
    Unsupported,
)
from runner.modules.can import errors, timing

_FULL = frozenset({errno.ENOBUFS, errno.EAGAIN})
_GARBLED = (ValueError, TypeError, IndexError, struct.error)
"""What python-can's parsers of serial lines raise for what is no frame, or only a part of one."""
_NO_ADAPTER = 100
"""Times in turn after which what is there is taken for something else."""
_TRY_AGAIN = 0.001
"""Seconds between two tries to send on a full queue: the kernel tells nobody when there is room."""
_BUFFER = 4 * 2**20
_SO_MEMINFO, _DROPS = 55, 8
"""Socket option of Linux, and the place of the dropped packets in it (linux/sock_diag.h)."""
_SOONEST = 10.0
"""A time stamp of an interface is believed when it is at most so many seconds old."""


class Port:
    """An open bus, by its settings (the driver's options); every error is one of the lab."""

    def __init__(self, bus: Any, settings: Mapping[str, Any]) -> None:
        """Take what ``can.Bus`` has opened."""
        self._interface = settings["interface"]
        channel = settings["channel"]
        self.name = name_of(settings)
        self.channel = str(channel) if channel is not None else self._interface
        self.sending = threading.Lock()
        self.retries = 0
        """How often a full queue was tried again."""
        self.garbled = 0
        """How often something came that is no frame."""
        self._garbled_in_turn = 0
        self.marks_all_local = self._interface == "socketcan"
        self._bus = bus
        self._socket = getattr(self._bus, "socket", None) if self.marks_all_local else None
        if self._socket is not None:
            import socket

            with suppress(OSError):  # the kernel's limit is as much as it gives
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)

    @property
    def description(self) -> str:
        """What the interface says of itself."""
        return str(self._bus.channel_info)

    @property
    def protocol(self) -> str:
        """What the bus speaks, as python-can names it: ``CAN_20``, ``CAN_FD``."""
        return str(self._bus.protocol.name)

    def close(self) -> None:
        """Let go of the bus."""
        with self._translated("close"):
            self._bus.shutdown()

    def receive(self, timeout: float) -> tuple[Any, float]:
        """Return what python-can has received, or None, and when that was: monotonic seconds.

        What an adapter says that is no frame is counted; raise LabError when it says nothing else.
        """
        import can

        try:
            message = self._bus.recv(timeout=timeout)
        except (can.CanError, OSError) as error:
            raise self._error("receive from", error) from error
        except _GARBLED as error:
            self._count_garbled(error)
            return None, time.monotonic()
        if message is not None:
            self._garbled_in_turn = 0
        wall = time.time()  # read first: a delay in between makes no frame earlier than its cause
        now = time.monotonic()
        if message is None or not self.marks_all_local:
            return message, now
        age = wall - message.timestamp
        return message, now - age if 0 < age < _SOONEST else now

    def send(self, frame: CanFrame, timeout: float, state: str | None) -> None:
        """Send a frame; a queue that is full is tried again until the time is over."""
        import can

        message = self.message(frame)
        end = time.monotonic() + timeout
        while True:
            try:
                self._bus.send(message, timeout=max(0.0, end - time.monotonic()))
            except (can.CanError, OSError, ValueError) as error:
                if _code(error) not in _FULL or time.monotonic() >= end:
                    raise self._error(f"send 0x{frame.id:X} on", error, state, timeout) from error
            else:
                return
            self.retries += 1
            time.sleep(_TRY_AGAIN)

    def cyclic(self, frames: Sequence[CanFrame], period: Duration, duration: Duration | None) -> BusTask:
        """Have the interface send frames in turn."""
        messages = [self.message(frame) for frame in frames]
        with self._translated("send periodically on"):
            task = self._bus.send_periodic(
                messages, float(period), None if duration is None else float(duration), store_task=False
            )
        until = None if duration is None else time.monotonic() + duration
        return _Cyclic(task, until, self)

    def filter(self, filters: Sequence[CanFilter]) -> None:
        """Receive only what one of the filters lets pass."""
        told = [
            {"can_id": each.id, "can_mask": each.mask}
            | ({} if each.extended is None else {"extended": each.extended})
            for each in filters
        ]
        with self._translated("filter frames of"):
            self._bus.set_filters(told or None)

    def set_state(self, state: BusState) -> None:
        """Take part in the bus, or only listen."""
        import can

        with self._translated("change the state of"):
            self._bus.state = can.BusState[state.upper()]

    def flush(self) -> None:
        """Throw away what waits to be sent."""
        with self._translated("empty the transmit queue of"):
            self._bus.flush_tx_buffer()

    def state(self) -> str:
        """Return ``active``, ``passive``, ``error``, or ``unknown`` when the interface cannot tell."""
        try:
            with self._translated("read the state of"):
                return str(self._bus.state.name).lower()
        except Unsupported:
            return "unknown"

    def overruns(self) -> int | None:
        """Return how many frames the kernel has dropped because we were slow; None when nobody counts."""
        if self._socket is None:
            return None
        import socket

        size = struct.calcsize("9I")
        try:
            counts = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, size)
        except OSError:  # a kernel older than 4.12
            return None
        return int(struct.unpack("9I", counts[:size])[_DROPS])

    def state_after(self, message: Any) -> str | None:
        """Return the state of the bus that an error frame tells of."""
        return errors.state_after(message.arbitration_id, message.data) if self.marks_all_local else None

    def is_overrun(self, message: Any) -> bool:
        """Tell whether an error frame says that the controller has lost frames."""
        return self.marks_all_local and errors.overrun(message.arbitration_id, message.data)

    def message(self, frame: CanFrame) -> Any:
        """Return a frame as python-can writes it."""
        import can

        return can.Message(
            arbitration_id=frame.id,
            is_extended_id=frame.extended,
            is_remote_frame=frame.remote,
            is_fd=frame.fd,
            bitrate_switch=frame.bitrate_switch,
            dlc=frame.dlc if frame.remote else None,
            data=None if frame.remote else bytes(frame.data),
        )

    def frame(self, message: Any, seen: float = 0.0, number: int = 0) -> CanFrame:
        """Return a message of python-can as a frame."""
        return CanFrame(
            id=message.arbitration_id,
            data=ByteString(bytes(message.data)),
            extended=message.is_extended_id,
            remote=message.is_remote_frame,
            fd=message.is_fd,
            bitrate_switch=message.bitrate_switch,
            error=message.is_error_frame,
            time=seen,
            sent=not message.is_rx,
            number=number,
            dlc=message.dlc if message.is_remote_frame else None,
        )

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        import can

        try:
            yield
        except NotImplementedError as error:  # python-can's word of an interface that cannot
            raise Unsupported(f"cannot {doing} {self.name}: the interface cannot do that") from error
        except (can.CanError, OSError, ValueError) as error:
            raise self._error(doing, error) from error

    def _count_garbled(self, error: Exception) -> None:
        self.garbled += 1
        self._garbled_in_turn += 1
        if self._garbled_in_turn >= _NO_ADAPTER:
            raise LabError(
                f"cannot receive from {self.name}: {self._garbled_in_turn} times in turn it said no frame",
                evidence={"last": f"{type(error).__name__}: {error}"},
                hint="is it such an adapter, at this baud rate? does anything else read from its port?",
            ) from error

    def _error(
        self, doing: str, error: Exception, state: str | None = None, timeout: float | None = None
    ) -> LabError:
        """Return an error of python-can as one of the lab."""
        evidence = {} if _code(error) is None else {"error_code": _code(error)}
        why = f" within {timeout:g} s" if timeout is not None and _code(error) in _FULL else ""
        stands = f"; the bus is {state}" if state not in {None, "active"} else ""
        hint = "is anybody else on the bus, at this bit rate? a frame needs an acknowledgement" if why else ""
        return LabError(f"cannot {doing} {self.name}{why}: {error}{stands}", evidence=evidence, hint=hint)


def opened(settings: Mapping[str, Any]) -> Port:
    """Open a bus; raise Unreachable when it is not there, Unsupported when python-can cannot."""
    import can

    name = name_of(settings)

    given = {**timing.arguments(settings), **settings["options"]}
    channel = settings["channel"]
    try:
        bus = can.Bus(channel=channel, interface=settings["interface"], ignore_config=True, **given)
    except NotImplementedError as error:  # of python-can: no such interface, or not for this machine
        raise Unsupported(f"{name}: {error}") from error
    except ImportError as error:
        raise Unsupported(f"{name} needs a library that is not here: {error.name}") from error
    except (can.CanError, OSError, ValueError, TypeError) as error:
        shown = {name: str(value) for name, value in given.items()}
        raise Unreachable(f"cannot open {name}: {error}", evidence={"options": shown}) from error
    return Port(bus, settings)


def name_of(settings: Mapping[str, Any]) -> str:
    """Return the name of a bus for messages."""
    channel = settings["channel"]
    return f"CAN bus {settings['interface']} {channel if channel is not None else ''}".rstrip()


class _Cyclic(BusTask):
    """Frames that the kernel sends."""

    def __init__(self, task: Any, until: float | None, port: Port) -> None:
        self._task = task
        self._until = until
        self._port = port
        self._stopped = False

    def stop(self) -> int | None:
        """End it; the kernel does not tell how many it has sent."""
        if not self._stopped:
            self._stopped = True
            with self._port._translated("end sending on"):  # noqa: SLF001 - one edge to python-can
                self._task.stop()
        return None

    @property
    def running(self) -> bool:
        """Tell whether it goes on."""
        return not self._stopped and (self._until is None or time.monotonic() < self._until)


def _code(error: Exception) -> int | None:
    """Return the number that the system has for an error; None when there is none."""
    code = getattr(error, "error_code", None)
    return code if code is not None else getattr(error, "errno", None)
