"""The port that TFTP requests come to, and a thread for each transfer."""

from __future__ import annotations

import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from typing import BinaryIO, NamedTuple

from runner.api import Duration, Transfer
from runner.modules.servers import tftp_packets as packets
from runner.modules.servers.offered_files import Forbidden, NotOffered, OfferedFiles
from runner.modules.servers.tftp_blocks import Sending
from runner.modules.servers.tftp_options import Limits, agree
from runner.modules.servers.tftp_transfer import Address, Ended, Serving, reader

_AT_ONCE = 64
_IP_PKTINFO = 8
"""ip(7): has the kernel tell which address of ours a request was sent to; the answer comes from there."""


class Settings(NamedTuple):
    """How generous and how patient a server is."""

    limits: Limits
    tries: int


class Refused(Exception):
    """A request that is answered with ERROR."""

    def __init__(self, code: int, text: str) -> None:
        """Take the code of RFC 1350 and a few words."""
        super().__init__(text)
        self.code = code


class Listener:
    """Answers requests until it is closed."""

    def __init__(
        self,
        port: socket.socket,
        files: OfferedFiles,
        settings: Settings,
        record: Callable[[Transfer], object],
    ) -> None:
        """Take a bound socket; `record` is told of every request when its transfer has ended."""
        self._port = port
        self._files = files
        self._settings = settings
        self._record = record
        self._active: dict[Address, Serving | None] = {}
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._stopped, self._stop = os.pipe()
        if port.family == socket.AF_INET:
            port.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        self._thread = threading.Thread(target=self._listen, name="tftp", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening, end the transfers and wait for their threads."""
        os.close(self._stop)
        self._thread.join()
        with self._lock:
            threads = tuple(self._threads)
        for thread in threads:
            thread.join()
        self._port.close()
        os.close(self._stopped)

    def _listen(self) -> None:
        polling = select.poll()
        polling.register(self._port, select.POLLIN)
        polling.register(self._stopped, select.POLLIN | select.POLLHUP)
        while self._stopped not in dict(polling.poll()):
            packet, ancillary, _, peer = self._port.recvmsg(65536, 256)
            self._begin(packet, peer, _sent_to(ancillary) or self._port.getsockname()[0])

    def _begin(self, packet: bytes, peer: Address, local: str) -> None:
        """Begin a transfer, unless the same request has come before and was not answered yet."""
        with self._lock:
            if peer in self._active:
                active = self._active[peer]
                if active is None or not active.heard:
                    return
            if len(self._threads) >= _AT_ONCE:
                self._port.sendto(packets.error(packets.NOT_DEFINED, "too many transfers"), peer)
                return
            self._active[peer] = None
            arguments = (packet, peer, local)
            thread = threading.Thread(target=self._serve, args=arguments, name="tftp transfer", daemon=True)
            self._threads.add(thread)
        thread.start()

    def _serve(self, packet: bytes, peer: Address, local: str) -> None:
        one = _One(peer, time.monotonic())
        try:
            request = _read_request(packet)
            one.name = request.file
            with self._opened(request.file) as file, self._port_at(local) as port:
                self._send(one, self._serving(request, file, port, peer))
        except Refused as refusal:
            one.problem = str(refusal)
            self._port.sendto(packets.error(refusal.code, one.problem), peer)
        except (Ended, OSError) as error:
            one.problem = str(error)
        finally:
            self._forget(one)
            self._record(one.transfer())

    def _opened(self, name: str) -> BinaryIO:
        try:
            return self._files.find(name).open("rb")
        except NotOffered as error:
            raise Refused(packets.NOT_FOUND, str(error)) from error
        except (Forbidden, PermissionError) as error:
            raise Refused(packets.ACCESS_VIOLATION, str(error)) from error

    def _port_at(self, local: str) -> socket.socket:
        port = socket.socket(self._port.family, socket.SOCK_DGRAM)
        port.bind((local, 0))
        return port

    def _serving(
        self, request: packets.Request, file: BinaryIO, port: socket.socket, peer: Address
    ) -> Serving:
        size = os.fstat(file.fileno()).st_size if request.mode == "octet" else None
        agreed = agree(request.options, self._settings.limits, size)
        sending = Sending(reader(file, request.mode), agreed.block_size, agreed.window)
        return Serving(port, peer, sending, agreed, self._settings.tries)

    def _send(self, one: _One, serving: Serving) -> None:
        one.serving = serving
        with self._lock:
            self._active[one.peer] = serving
        serving.run(self._stopped)

    def _forget(self, one: _One) -> None:
        with self._lock:
            self._threads.discard(threading.current_thread())
            if self._active.get(one.peer) is one.serving:
                self._active.pop(one.peer, None)


class _One:
    """What is known of one request."""

    def __init__(self, peer: Address, began: float) -> None:
        self.peer = peer
        self.name = ""
        self.problem = ""
        self.serving: Serving | None = None
        self._began = began

    def transfer(self) -> Transfer:
        sending = self.serving.sending if self.serving is not None else None
        return Transfer(
            file=self.name,
            peer=f"{self.peer[0]}:{self.peer[1]}",
            complete=not self.problem,
            bytes=sending.bytes if sending else 0,
            elapsed=Duration(time.monotonic() - self._began),
            problem=self.problem,
            blocks=sending.acknowledged if sending else 0,
            resent=sending.resent if sending else 0,
        )


def _read_request(packet: bytes) -> packets.Request:
    """Read RRQ; raise Refused for everything else."""
    try:
        request = packets.parse(packet)
    except packets.Malformed as error:
        raise Refused(packets.ILLEGAL, str(error)) from error
    if not isinstance(request, packets.Request):
        raise Refused(packets.ILLEGAL, "a request was due")
    if request.opcode == packets.WRITE:
        raise Refused(packets.ACCESS_VIOLATION, "this server takes no files")
    if request.mode not in {"octet", "netascii"}:
        raise Refused(packets.ILLEGAL, f"no mode {request.mode!r}")
    return request


def _sent_to(ancillary: Iterable[tuple[int, int, bytes]]) -> str:
    """Return the address of ours in ``struct in_pktinfo`` (ip(7)); empty when there is none."""
    for level, kind, content in ancillary:
        if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
            return socket.inet_ntoa(struct.unpack_from("=I4s4s", content)[1])
    return ""
