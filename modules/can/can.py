"""CAN through python-can, received from all the time (python-can documentation, "Bus API")."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from runner.api import (
    ByteString,
    CanBus,
    CanFrame,
    Context,
    Driver,
    Duration,
    LabError,
    Needs,
    RecipeFault,
    Unreachable,
    Unsupported,
    arg,
)
from runner.api.frames import FrameRecord, check_frame
from runner.modules.can.echoes import Echoes

_LISTEN = 0.1
"""Seconds after which the receiver looks whether it should end."""


class Can(Driver, CanBus):
    """A CAN bus, on any interface that python-can knows.

    It is opened once and received from until the end of the run; what came meanwhile is kept.

    Example::

        devices:
          can0: {driver: can, interface: socketcan, channel: can0, bitrate: 500000}
    """

    interface: str = arg(help="python-can's name: socketcan, slcan, pcan, kvaser, virtual, udp_multicast …")
    channel: str | int | None = arg(default=None, help="which bus of that interface: can0, /dev/ttyACM0, 0 …")
    bitrate: int | None = arg(default=None, help="bits per second, where the interface sets it", minimum=1)
    fd: bool = arg(default=False, help="CAN FD")
    data_bitrate: int | None = arg(
        default=None, help="bits per second of the data phase of CAN FD", minimum=1
    )
    receive_own_messages: bool = arg(default=False, help="whether frames that we send are also received")
    options: dict[str, Any] = arg(default={}, help="more options of the interface, as python-can names them")
    record: int = arg(default=65536, help="how many frames are kept", minimum=1)

    def needs(self) -> Needs:
        """Return the port of an adapter that is behind one."""
        channel = str(self.channel or "")
        return Needs(nodes=(channel,) if "/" in channel else ())

    def open(self) -> None:
        """Open the bus and begin to receive; raise Unreachable or Unsupported when it is not there."""
        self._name = f"CAN bus {self.interface} {self.channel if self.channel is not None else ''}".rstrip()
        self._frames = FrameRecord(self._name, self.record)
        self._echoes = Echoes()
        self._bus = self._opened()
        self._sending = threading.Lock()
        self._ending = threading.Event()
        self._receiver = threading.Thread(target=self._receive, name=f"receive {self._name}", daemon=True)
        self._receiver.start()

    def close(self) -> None:
        """Stop receiving and close the bus."""
        self._ending.set()
        self._receiver.join()
        with self._translated("close"):
            self._bus.shutdown()

    def send(self, frame: CanFrame, timeout: Duration) -> int:
        """Send a frame and return its place in the record.

        Raise RecipeFault for one that no bus can carry, LabError when this bus refuses it.
        """
        check_frame(frame)
        if frame.fd and not self.fd:
            raise RecipeFault(f"{self._name} is no CAN FD bus", hint="give the device the option fd: true")
        import can

        message = can.Message(
            arbitration_id=frame.id,
            is_extended_id=frame.extended,
            is_remote_frame=frame.remote,
            is_fd=frame.fd,
            bitrate_switch=frame.bitrate_switch,
            data=bytes(frame.data),
        )
        with self._sending, self._translated(f"send 0x{frame.id:X} on"):
            number = self._frames.add(replace(frame, sent=True, time=time.monotonic()))
            if self.interface == "udp_multicast":
                self._echoes.expect(frame)
            self._bus.send(message, timeout=float(timeout))
        return number

    def latest(self) -> int:
        """Return the number of the newest frame in the record."""
        return self._frames.latest()

    def next(self, after: int, timeout: float, context: Context) -> CanFrame | None:
        """Wait for the first received frame numbered above `after`."""
        return self._frames.next(after, timeout, context)

    def info(self) -> Mapping[str, object]:
        """Return what the interface says of itself, the settings and the counters."""
        return {
            "interface": self.interface,
            "channel": self.channel,
            "description": self._bus.channel_info,
            "state": self._state(),
            "protocol": self._bus.protocol.name,
            "bitrate": self.bitrate,
            "fd": self.fd,
            "data_bitrate": self.data_bitrate,
            **self._frames.counters(),
        }

    def _opened(self) -> Any:
        import can

        settings = {
            "bitrate": self.bitrate,
            "fd": self.fd or None,
            "data_bitrate": self.data_bitrate,
            "receive_own_messages": self.receive_own_messages,
            **self.options,
        }
        given = {name: value for name, value in settings.items() if value is not None}
        try:
            return can.Bus(channel=self.channel, interface=self.interface, **given)
        except can.CanInterfaceNotImplementedError as error:
            raise Unsupported(f"{self._name}: {error}") from error
        except ImportError as error:
            raise Unsupported(f"{self._name} needs a library that is not here: {error.name}") from error
        except (can.CanError, OSError, ValueError, TypeError) as error:
            raise Unreachable(f"cannot open {self._name}: {error}", evidence={"options": given}) from error

    def _receive(self) -> None:
        try:
            while not self._ending.is_set():
                with self._translated("receive from"):
                    message = self._bus.recv(timeout=_LISTEN)
                if message is not None and not self._is_unwanted(message):
                    self._frames.add(_frame(message))
        except LabError as error:
            self._frames.fail(error)

    def _is_unwanted(self, message: Any) -> bool:
        """Tell whether it is a frame of our own that nobody asked to receive."""
        if self.receive_own_messages:
            return False
        return not message.is_rx or self._echoes.is_one(_frame(message))

    def _state(self) -> str:
        try:
            return str(self._bus.state.name).lower()
        except NotImplementedError:  # python-can's word of an interface that cannot tell
            return "unknown"

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        import can

        try:
            yield
        except (can.CanError, OSError, ValueError) as error:
            raise LabError(f"cannot {doing} {self._name}: {error}", evidence=_evidence(error)) from error


def _evidence(error: Exception) -> dict[str, object]:
    code = getattr(error, "error_code", None)
    return {} if code is None else {"error_code": code}


def _frame(message: Any) -> CanFrame:
    return CanFrame(
        id=message.arbitration_id,
        data=ByteString(bytes(message.data)),
        extended=message.is_extended_id,
        remote=message.is_remote_frame,
        fd=message.is_fd,
        bitrate_switch=message.bitrate_switch,
        error=message.is_error_frame,
        time=time.monotonic(),
    )
