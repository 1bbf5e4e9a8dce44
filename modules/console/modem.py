"""Modem lines, breaks, speeds and counters of an open port of pyserial."""

from __future__ import annotations

import fcntl
import struct
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from runner.api import Context, Duration, Unsupported
from runner.console import LineCounters, LineSettings, LineState

PORT_ERRORS = (OSError, ValueError, NotImplementedError, termios.error)
"""What pyserial lets through besides its own; NotImplementedError: this kind of port cannot do it."""
_TIOCGICOUNT = 0x545D
"""Linux, include/uapi/asm-generic/ioctls.h: the same on x86, ARM and RISC-V."""
_COUNTS = struct.Struct("20i")
"""`struct serial_icounter_struct`, include/uapi/linux/serial.h: eleven counts and nine reserved."""
_BEFORE_RX = 4
PARITIES: Mapping[str, str] = MappingProxyType(
    {"none": "N", "even": "E", "odd": "O", "mark": "M", "space": "S"}
)


class Modem:
    """What a port has besides its bytes; a port that lacks it raises Unsupported."""

    def __init__(self, port: Any, name: str) -> None:
        """Take an open port."""
        self._port = port
        self._name = name
        self.device = ""
        """What the bench calls it."""
        self._first = self._counts()

    def lines(self) -> LineState:
        """Read the lines and the counters."""
        port = self._port
        self._need_lines("modem lines")
        with self._asked("modem lines"):
            return LineState(
                dtr=bool(port.dtr),
                rts=bool(port.rts),
                cts=bool(port.cts),
                dsr=bool(port.dsr),
                cd=bool(port.cd),
                ri=bool(port.ri),
                counters=self.counters(),
            )

    def set_lines(self, dtr: bool | None, rts: bool | None) -> None:
        """Set DTR and RTS; None leaves one alone."""
        self._need_lines("modem lines")
        with self._asked("modem lines"):
            if dtr is not None:
                self._port.dtr = dtr
            if rts is not None:
                self._port.rts = rts

    def send_break(self, duration: Duration, context: Context) -> None:
        """Hold the line; it is let go of also when the step is cancelled."""
        self._need_lines("a break")
        with self._asked("a break"):
            self._port.break_condition = True
            try:
                context.sleep(duration)
            finally:
                self._port.break_condition = False

    def apply(self, settings: LineSettings) -> None:
        """Change how characters are sent, once what was written is out."""
        if self._name.startswith("socket://"):
            raise self._unsupported("a speed", "a TCP connection has none")
        port = self._port
        with self._asked(f"{settings.baudrate} bit/s"):
            if self._name.startswith("/"):
                termios.tcdrain(port.fileno())
            _change(
                port,
                {
                    "baudrate": settings.baudrate,
                    "bytesize": settings.bytesize,
                    "parity": PARITIES[settings.parity],
                    "stopbits": settings.stopbits,
                    "rtscts": settings.rtscts,
                    "xonxoff": settings.xonxoff,
                },
            )

    def counters(self) -> LineCounters | None:
        """Return what was counted since the port was opened; None where nobody counts."""
        now, first = self._counts(), self._first
        if now is None or first is None:
            return None
        received, sent, frame, overrun, parity, breaks, full = (
            last - before for last, before in zip(now, first, strict=True)
        )
        return LineCounters(
            received=received,
            sent=sent,
            overrun=overrun,
            buffer_overrun=full,
            frame=frame,
            parity=parity,
            breaks=breaks,
        )

    def _counts(self) -> tuple[int, ...] | None:
        if not self._name.startswith("/"):
            return None
        try:
            told = fcntl.ioctl(self._port.fileno(), _TIOCGICOUNT, bytes(_COUNTS.size))
        except OSError:
            return None  # a pseudo-terminal, or an adapter whose driver does not count
        return counts_in(told)

    def _need_lines(self, what: str) -> None:
        """Refuse ports that would say yes and do nothing."""
        if self._name.startswith("socket://"):
            raise self._unsupported(what, "a TCP connection has none")
        if self._name.startswith("/"):
            try:
                fcntl.ioctl(self._port.fileno(), termios.TIOCMGET, bytes(4))
            except OSError as error:
                raise self._unsupported(what, str(error.strerror)) from error

    @contextmanager
    def _asked(self, what: str) -> Iterator[None]:
        import serial

        try:
            yield
        except (serial.SerialException, *PORT_ERRORS) as error:
            raise self._unsupported(what, str(error)) from error

    def _unsupported(self, what: str, why: str) -> Unsupported:
        return Unsupported(
            f"{what}: not supported by this console, {self.device!r} ({self._name}): {why}",
            evidence={"device": self.device, "port": self._name},
        )


def _change(port: Any, settings: Mapping[str, object]) -> None:
    """Change all or nothing."""
    before = port.get_settings()
    try:
        port.apply_settings(settings)
    except BaseException:
        port.apply_settings(before)
        raise


def counts_in(told: bytes) -> tuple[int, ...]:
    """Return rx, tx, frame, overrun, parity, brk and buf_overrun of what the kernel tells.

    >>> counts_in(struct.pack("20i", *range(20)))
    (4, 5, 6, 7, 8, 9, 10)
    """
    return _COUNTS.unpack(told)[_BEFORE_RX : _BEFORE_RX + 7]
