"""A board's end of TFTP, packet by packet, over a real socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.plain_context import PlainContext

from runner.modules.servers import tftp_packets as packets
from runner.modules.servers.tftp_server import TftpServer


@contextmanager
def serving(folder: Path, **options: object) -> Iterator[TftpServer]:
    """A server on a free port of loopback, that has what is in a folder."""
    server = TftpServer(**{"root": str(folder), "bind": "127.0.0.1", "port": 0, **options})
    server.open()
    try:
        server.start(PlainContext())
        yield server
    finally:
        server.close()


class Board:
    """Sends what the test says, and nothing else."""

    def __init__(self, server: TftpServer) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(30)
        self.server = ("127.0.0.1", server.port_number())
        self.peer = self.server

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self, name: str, **options: str) -> packets.Packet:
        self.send(packets.request(name, options), self.server)
        return self.hear()

    def send(self, packet: bytes, to: tuple[str, int] | None = None) -> None:
        self.socket.sendto(packet, to or self.peer)

    def hear(self) -> packets.Packet:
        packet, self.peer = self.socket.recvfrom(65536)
        return packets.parse(packet)
