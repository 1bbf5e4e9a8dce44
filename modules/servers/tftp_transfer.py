"""One transfer of a TFTP server to one board, from the first packet to the last."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from typing import Any, BinaryIO

from runner.modules.servers import tftp_packets as packets
from runner.modules.servers.tftp_blocks import Read, Sending
from runner.modules.servers.tftp_options import Agreed

Address = Any
"""As the family of the socket has it: host, port, and what IPv6 adds."""


class Ended(Exception):
    """The transfer cannot go on; the message says why."""


class Serving:
    """Sends a file to one peer from a port of its own (RFC 1350, 4)."""

    def __init__(
        self, port: socket.socket, peer: Address, sending: Sending, agreed: Agreed, tries: int
    ) -> None:
        """Take a bound socket; `tries`: how often in a row it may wait in vain."""
        self._port = port
        self._peer = peer
        self._agreed = agreed
        self._tries = tries
        self.sending = sending
        self.heard = False
        """Whether the peer has answered: then a second request from its port is a new one."""

    def run(self, stopped: int) -> None:
        """Send all of it; raise Ended when that cannot be done. Data on `stopped` ends it."""
        self._polling = select.poll()
        self._polling.register(self._port, select.POLLIN)
        self._polling.register(stopped, select.POLLIN | select.POLLHUP)
        self._stopped = stopped
        if self._agreed.answer:
            self._until_acknowledged()
        self._send_due()
        while not self.sending.finished:
            self._wait_for(self._progress, self._send_again)
            self._send_due()

    def _until_acknowledged(self) -> None:
        """Send OACK until ACK 0 comes (RFC 2347)."""
        answer = packets.option_ack(self._agreed.answer)
        self._send(answer)
        self._wait_for(lambda block: block == 0, lambda: self._send(answer))

    def _progress(self, block: int) -> bool:
        return self.sending.take(block)

    def _send_again(self) -> None:
        self.sending.again()
        self._send_due()

    def _send_due(self) -> None:
        for packet in self.sending.due():
            self._send(packet)

    def _send(self, packet: bytes) -> None:
        self._port.sendto(packet, self._peer)

    def _wait_for(self, wanted: Callable[[int], bool], again: Callable[[], None]) -> None:
        """Wait for an ACK that `wanted` takes; after each time-out do it `again`.

        What else arrives does not put the time-out off.
        """
        for _ in range(self._tries):
            until = time.monotonic() + self._agreed.timeout
            while (block := self._next_ack(until)) is not None:
                if wanted(block):
                    return
            again()
        raise Ended(
            f"no answer to block {self.sending.acknowledged + 1} in {self._tries} times "
            f"{self._agreed.timeout:g} s"
        )

    def _next_ack(self, until: float) -> int | None:
        """Return the block of the peer's next ACK; None when the time is over."""
        while True:
            left = until - time.monotonic()
            ready = dict(self._polling.poll(max(0.0, left) * 1000))
            if self._stopped in ready:
                self._send(packets.error(packets.NOT_DEFINED, "the server ends"))
                raise Ended("the server was stopped")
            if not ready:
                return None
            block = self._read()
            if block is not None:
                return block

    def _read(self) -> int | None:
        packet, peer = self._port.recvfrom(2048)
        if peer != self._peer:
            self._port.sendto(packets.error(packets.UNKNOWN_TRANSFER, "this port has another peer"), peer)
            return None
        self.heard = True
        try:
            found = packets.parse(packet)
        except packets.Malformed as error:
            self._send(packets.error(packets.ILLEGAL, str(error)))
            raise Ended(f"the board sent what is no packet: {error}") from error
        if isinstance(found, packets.Error):
            raise Ended(f"the board ended it: {found}")
        if isinstance(found, packets.Ack):
            return found.block
        self._send(packets.error(packets.ILLEGAL, "an ACK was due"))
        raise Ended(f"the board sent {type(found).__name__} instead of an ACK")


def reader(file: BinaryIO, mode: str) -> Read:
    """Return what reads a file's content as a mode of RFC 1350 has it."""
    return file.read if mode == "octet" else _Netascii(file).read


class _Netascii:
    """A file with its line ends as on the wire: CR LF, and CR NUL for a CR alone (RFC 1350, 1; RFC 764)."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._ready = bytearray()

    def read(self, size: int) -> bytes:
        while len(self._ready) < size and (raw := self._file.read(65536)):
            self._ready += raw.replace(b"\r", b"\r\0").replace(b"\n", b"\r\n")
        taken = bytes(self._ready[:size])
        del self._ready[:size]
        return taken
