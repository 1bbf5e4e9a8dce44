"""USB relay boards that take four bytes over a serial port."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

from runner.api import Driver, Duration, LabError, Needs, Power, PowerState, Unreachable, arg
from runner.modules.relay.wires import SerialWire

_STATUS = re.compile(rb"CH(\d+): ?(ON|OFF)")
_LINE = len(b"CH1: ON \r\n")


class RelaySerial(Driver, Power):
    """A relay of an LCUS-1, -2, -4 or -8 board, or of a NOYITO one with the same orders.

    An order is A0, the channel, 1 or 0, and the sum of these, at 9600 bits per second. The boards with
    more than one relay answer FF with a line for each; `channels` says how many then come, and without
    it the state is not read. From public descriptions; not tried with a board.

    Example::

        devices:
          power: {driver: relay_serial, port: /dev/serial/by-id/usb-1a86_USB_Serial-if00-port0, channel: 1}
    """

    port: str = arg(primary=True, help="the serial port, or a URL of pyserial")
    channel: int = arg(default=1, help="which relay, counted from 1", minimum=1, maximum=254)
    channels: int = arg(default=0, help="how many it tells when it is asked; 0: it is not asked", minimum=0)
    normally_closed: bool = arg(default=False, help="the board is fed while the relay is not pulled")
    timeout: Duration = arg(default=Duration("3s"), help="how long it may take to take orders or to answer")

    def needs(self) -> Needs:
        """Return the port."""
        return Needs(nodes=(self.port,))

    def open(self) -> None:
        """Open the port; raise Unreachable when it is not there."""
        with self._translated("opened"):
            self._wire = SerialWire(self.port, 9600, "N", self.timeout)

    def close(self) -> None:
        """Close it."""
        self._wire.close()

    def on(self) -> None:
        """Send the order."""
        self._order("switched on", closed=not self.normally_closed)

    def off(self) -> None:
        """Send the order."""
        self._order("switched off", closed=self.normally_closed)

    def state(self) -> PowerState | None:
        """Ask the board; None when it is not asked."""
        if not self.channels:
            return None
        with self._translated("read"):
            told = self._told()
        if self.channel not in told:
            raise LabError(
                f"{self.label()} is not among what the board tells: {sorted(told)}",
                evidence={"port": self.port, "channel": self.channel},
            )
        return "on" if told[self.channel] != self.normally_closed else "off"

    def label(self) -> str:
        """Return the channel and the port."""
        return f"relay {self.channel} at {self.port}"

    def _order(self, doing: str, *, closed: bool) -> None:
        with self._translated(doing):
            self._wire.send(order(self.channel, closed=closed))

    def _told(self) -> dict[int, bool]:
        """Return which relays are closed, as the board says it."""
        until = time.monotonic() + self.timeout
        self._wire.send(b"\xff")
        data = b""
        while len(found := _STATUS.findall(data)) < self.channels:
            data += self._wire.receive(1, until)
        return {int(channel): word == b"ON" for channel, word in found}

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        """Turn what the kernel and pyserial say into errors of the lab: the only place that knows both."""
        evidence = {"port": self.port, "channel": self.channel}
        try:
            yield
        except TimeoutError as error:
            raise Unreachable(
                f"{self.label()} did not tell {self.channels} relays within {self.timeout}",
                evidence={**evidence, "timeout": float(self.timeout)},
                hint="boards with one relay do not answer: leave 'channels' out",
            ) from error
        except OSError as error:
            raise Unreachable(f"{self.label()} could not be {doing}: {error}", evidence=evidence) from error


def order(channel: int, *, closed: bool) -> bytes:
    """Return the bytes that switch a relay.

    >>> order(1, closed=True).hex(" "), order(2, closed=False).hex(" ")
    ('a0 01 01 a2', 'a0 02 00 a2')
    """
    head = bytes([0xA0, channel, int(closed)])
    return head + bytes([sum(head) & 0xFF])
