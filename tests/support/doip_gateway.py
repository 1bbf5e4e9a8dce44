"""A DoIP gateway that a test plays, written from ISO 13400-2:2012, with one control unit behind it."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time

from runner.modules.can.ecu_options import EcuUds
from runner.modules.can.ecu_uds import UdsServer

ECU = 0x00E0


class Gateway:
    """Listens on a free port; `silent` takes connections and says nothing, `code` is that of its activation."""

    def __init__(self, uds: EcuUds, *, silent: bool = False, code: int = 0x10) -> None:
        self._server = UdsServer(uds)
        self._silent = silent
        self._code = code
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.alive: list[bytes] = []
        self.asked: list[int] = []
        self.refuse = 0
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.hang_up()
        self._thread.join()

    def hang_up(self) -> None:
        for each in self._connections:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def check_alive(self) -> None:
        self._connections[-1].sendall(_message(0x0007, b""))

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._connections.append(connection)
            with connection, contextlib.suppress(OSError):
                self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        while header := stream.read(8):
            kind, length = struct.unpack("!2xHI", header)
            payload = stream.read(length)
            if self._silent:
                continue
            for reply in self._answers(kind, payload):
                connection.sendall(reply)

    def _answers(self, kind: int, payload: bytes) -> list[bytes]:
        if kind == 0x0005:
            client = payload[:2]
            return [_message(0x0006, client + struct.pack("!HBI", 0x0001, self._code, 0))]
        if kind == 0x0008:
            self.alive.append(payload)
            return []
        assert kind == 0x8001
        client, target, request = payload[:2], payload[2:4], payload[4:]
        self.asked.append(int.from_bytes(target, "big"))
        ends = target + client
        if self.refuse:
            return [_message(0x8003, ends + bytes([self.refuse]))]
        reply = self._server.answer(request, time.monotonic())
        ends = ECU.to_bytes(2, "big") + client
        diagnostic = [_message(0x8001, ends + answer) for _, answer in reply.payloads]
        return [_message(0x8002, ends + b"\x00"), *diagnostic]


def _message(kind: int, payload: bytes) -> bytes:
    return struct.pack("!BBHI", 2, 0xFD, kind, len(payload)) + payload
