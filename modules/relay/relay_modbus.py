"""Relay boards whose relays are coils of Modbus."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from runner.api import Driver, Duration, LabError, Needs, Power, PowerState, Unreachable, arg
from runner.modules.relay import modbus
from runner.modules.relay.wires import SerialWire, TcpWire, Wire

_TCP = "tcp://"
_PARITIES = {"none": "N", "even": "E", "odd": "O"}


class RelayModbus(Driver, Power):
    """A relay of a board that speaks Modbus, over TCP or a serial line (RTU): Waveshare's and many others.

    A coil is a relay, counted from 0. Tried against a server of its own, and not with a board.

    Example::

        devices:
          power: {driver: relay_modbus, port: "tcp://relays.lab:502", coil: 3}
          pump: {driver: relay_modbus, port: /dev/ttyUSB0, baudrate: 9600, unit: 1, coil: 0}
    """

    port: str = arg(
        primary=True,
        help="tcp://HOST[:PORT] (Modbus TCP, port 502), a serial port, or a URL of pyserial (RTU)",
    )
    coil: int = arg(help="which relay, counted from 0", minimum=0, maximum=65535)
    unit: int = arg(default=1, help="the board's address on its bus", minimum=0, maximum=255)
    baudrate: int = arg(default=9600, help="bits per second of a serial line", minimum=1)
    parity: Literal["none", "even", "odd"] = arg(default="none", help="the parity of a serial line")
    normally_closed: bool = arg(default=False, help="the board is fed while the relay is not pulled")
    timeout: Duration = arg(default=Duration("3s"), help="how long the board may take to answer")

    def needs(self) -> Needs:
        """Return the port."""
        return Needs(nodes=(self.port,))

    def open(self) -> None:
        """Connect; raise Unreachable when the board is not there."""
        self._number = 0
        self._wire: Wire | None = None
        with self._translated("opened"):
            self._wire = self._connected()

    def close(self) -> None:
        """Hang up."""
        if self._wire is not None:
            self._wire.close()

    def on(self) -> None:
        """Write the coil."""
        self._ask("switched on", modbus.write_coil(self.coil, closed=not self.normally_closed))

    def off(self) -> None:
        """Write the coil."""
        self._ask("switched off", modbus.write_coil(self.coil, closed=self.normally_closed))

    def state(self) -> PowerState:
        """Read the coil."""
        closed = modbus.is_closed(self._ask("read", modbus.read_coil(self.coil)))
        return "on" if closed != self.normally_closed else "off"

    def label(self) -> str:
        """Return the coil and the board."""
        return f"coil {self.coil} of unit {self.unit} at {self.port}"

    def _ask(self, doing: str, request: bytes) -> bytes:
        with self._translated(doing):
            return self._answer(request)

    def _answer(self, request: bytes) -> bytes:
        """Ask, and once more on a new connection when the old one had ended: boards close idle ones."""
        if self._wire is not None:
            try:
                return self._asked(self._wire, request)
            except ConnectionError:
                self._hang_up()
        self._wire = self._connected()
        return self._asked(self._wire, request)

    def _asked(self, wire: Wire, request: bytes) -> bytes:
        until = time.monotonic() + self.timeout
        try:
            answer = (
                self._over_tcp(wire, request, until) if self._is_tcp else self._over_rtu(wire, request, until)
            )
        except (TimeoutError, modbus.Answered):
            self._hang_up()  # what comes late must not be taken for the next answer
            raise
        modbus.check(request, answer)
        return answer

    def _over_tcp(self, wire: Wire, request: bytes, until: float) -> bytes:
        self._number = self._number % 0xFFFF + 1
        wire.send(modbus.tcp_frame(self._number, self.unit, request))
        while True:
            number, length = modbus.tcp_header(wire.receive(7, until))
            answer = wire.receive(length, until)
            if number == self._number:
                return answer

    def _over_rtu(self, wire: Wire, request: bytes, until: float) -> bytes:
        wire.send(modbus.rtu_frame(self.unit, request))
        head = wire.receive(2, until)
        frame = head + wire.receive(modbus.length_after(request, head[1]) + 2, until)
        if modbus.checksum(frame[:-2]) != frame[-2:] or head[0] != self.unit:
            raise modbus.Answered(f"{frame.hex(' ')}, which unit {self.unit} did not send whole")
        return frame[1:-2]

    @property
    def _is_tcp(self) -> bool:
        return self.port.startswith(_TCP)

    def _connected(self) -> Wire:
        if not self._is_tcp:
            return SerialWire(self.port, self.baudrate, _PARITIES[self.parity], self.timeout)
        host, _, port = self.port.removeprefix(_TCP).rstrip("/").rpartition(":")
        return TcpWire(host or port, int(port) if host else 502, self.timeout)

    def _hang_up(self) -> None:
        if self._wire is not None:
            self._wire.close()
        self._wire = None

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        """Turn what the kernel, pyserial and the board say into errors of the lab: the only place for it."""
        evidence = {"port": self.port, "unit": self.unit, "coil": self.coil}
        try:
            yield
        except TimeoutError as error:
            raise Unreachable(
                f"{self.label()} did not answer within {self.timeout}",
                evidence={**evidence, "timeout": float(self.timeout)},
                hint="is it powered, and are unit, baudrate and parity its own? 'timeout' gives it more time",
            ) from error
        except modbus.Answered as error:
            raise LabError(
                f"{self.label()} could not be {doing}: it answered {error}", evidence=evidence
            ) from error
        except OSError as error:
            raise Unreachable(f"{self.label()} could not be {doing}: {error}", evidence=evidence) from error
