"""Fetches a file by TFTP (RFC 1350, 2347 to 2349, 7440)."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from runner.api import Context, LabError, Unreachable
from runner.modules.servers import tftp_packets as packets
from runner.modules.servers.tftp_blocks import Receiving
from runner.modules.servers.tftp_options import BLOCK_SIZE

_TRIES = 5
_BUFFER = 4 * 2**20
"""Asked of the kernel for what arrives; it gives what it is allowed to (socket(7), rmem_max)."""


class Asked(NamedTuple):
    """What is fetched, and how."""

    host: str
    port: int
    file: str
    block_size: int
    window: int
    packet_timeout: float


class Answered(Exception):
    """The server answered with an error."""

    def __init__(self, error: packets.Error) -> None:
        """Take it."""
        super().__init__(str(error))
        self.code = error.code


class Client:
    """One transfer."""

    def __init__(self, asked: Asked, write: Callable[[bytes], object], context: Context) -> None:
        """Give the content to `write`."""
        self._asked = asked
        self._write = write
        self._context = context
        self._receiving = Receiving(write, BLOCK_SIZE, 1)
        self._total: int | None = None
        self._peer: tuple[Any, ...] | None = None
        self._where = f"{asked.host} port {asked.port}/udp"

    def fetch(self) -> int:
        """Return the number of bytes; raise Answered for the server's errors, Unreachable for silence."""
        with self._port() as port:
            self._send(port, self._request())
            while not self._receiving.finished:
                self._step(port)
        self._refuse_short()
        return self._receiving.bytes

    def _port(self) -> socket.socket:
        try:
            found = socket.getaddrinfo(self._asked.host, self._asked.port, type=socket.SOCK_DGRAM)
        except OSError as error:
            raise Unreachable(f"no host {self._asked.host!r}: {error.strerror}") from error
        self._server = found[0][4]
        port = socket.socket(found[0][0], socket.SOCK_DGRAM)
        port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        return port

    def _request(self) -> bytes:
        wanted = {"tsize": "0"}
        if self._asked.block_size != BLOCK_SIZE:
            wanted["blksize"] = str(self._asked.block_size)
        if self._asked.window > 1:
            wanted["windowsize"] = str(self._asked.window)
        return packets.request(self._asked.file, wanted)

    def _send(self, port: socket.socket, packet: bytes) -> None:
        self._last = packet
        try:
            port.sendto(packet, self._peer or self._server)
        except OSError as error:
            raise Unreachable(f"cannot send to {self._where}: {error.strerror}") from error

    def _step(self, port: socket.socket) -> None:
        """Take one packet, and answer it."""
        found = self._next(port)
        if isinstance(found, packets.Error):
            raise Answered(found)
        if isinstance(found, packets.OptionAck) and self._receiving.last == 0:
            self._agree(found)
            self._send(port, packets.ack(0))
        elif isinstance(found, packets.Data):
            answer = self._receiving.take(found.block, found.payload)
            if answer is not None:
                self._context.progress(self._receiving.bytes, self._total)
                self._send(port, answer)

    def _agree(self, answer: packets.OptionAck) -> None:
        sizes = {name: int(text) for name, text in answer.options.items() if text.isdigit()}
        block_size, window = sizes.get("blksize", BLOCK_SIZE), sizes.get("windowsize", 1)
        if block_size > self._asked.block_size or window > self._asked.window:
            raise LabError(f"{self._where} grants more than was asked for: {dict(answer.options)}")
        self._total = sizes.get("tsize")
        self._receiving = Receiving(self._write, block_size, window)

    def _next(self, port: socket.socket) -> packets.Packet:
        """Return the server's next packet; send our last one again when it says nothing."""
        for _ in range(_TRIES):
            until = time.monotonic() + self._asked.packet_timeout
            while (left := until - time.monotonic()) > 0:
                self._context.check_cancelled()
                port.settimeout(left)
                try:
                    packet, peer = port.recvfrom(65536)
                except TimeoutError:
                    break
                if self._is_server(peer):
                    return self._parsed(packet)
                port.sendto(packets.error(packets.UNKNOWN_TRANSFER, "this port has another peer"), peer)
            self._send(port, self._receiving.ack() if self._receiving.last else self._last)
        raise Unreachable(
            f"{self._where} says nothing: {_TRIES} times {self._asked.packet_timeout:g} s",
            evidence={"file": self._asked.file, "bytes": self._receiving.bytes},
            hint="does a TFTP server run there, and does a firewall let UDP through?",
        )

    def _is_server(self, peer: object) -> bool:
        """Tell whether a packet is from the server; the first answer says from which port (RFC 1350, 4)."""
        if self._peer is None and isinstance(peer, tuple) and peer[0] == self._server[0]:
            self._peer = peer
        return peer == self._peer

    def _parsed(self, packet: bytes) -> packets.Packet:
        try:
            return packets.parse(packet)
        except packets.Malformed as error:
            raise LabError(f"{self._where} sent what is no packet of TFTP: {error}") from error

    def _refuse_short(self) -> None:
        if self._total is not None and self._total != self._receiving.bytes:
            raise LabError(
                f"{self._where} announced {self._total} bytes of {self._asked.file!r} and sent "
                f"{self._receiving.bytes}",
                evidence={"expected": self._total, "actual": self._receiving.bytes},
            )
