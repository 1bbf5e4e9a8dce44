"""Relay boards that check every byte and can misbehave: Modbus over TCP and a serial line, and the LCUS orders."""

from __future__ import annotations

import contextlib
import os
import pty
import socket
import threading
import tty
from collections.abc import Callable, Iterator

Mood = str
"""`fine`, `stick`, `refuse` (an exception), `stall` (no answer), `garble`, `hang up`, or `late` (an old frame first)."""


class Coils:
    """Eight relays behind Modbus; `asked` holds every request without its frame."""

    def __init__(self) -> None:
        self.closed = dict.fromkeys(range(8), False)
        self.asked: list[bytes] = []
        self.mood: Mood = "fine"

    def answer(self, request: bytes) -> bytes:
        self.asked.append(request)
        coil = int.from_bytes(request[1:3], "big")
        if coil not in self.closed:
            return bytes([request[0] | 0x80, 2])
        if request[0] == 1:
            return bytes([1, 1, 0xFE | self.closed[coil]])
        if self.mood == "refuse":
            return bytes([request[0] | 0x80, 4])
        if self.mood != "stick":
            self.closed[coil] = request[3:5] == b"\xff\x00"
        return request


class TcpBoard:
    """A board with a network port."""

    def __init__(self) -> None:
        self.coils = Coils()
        self.connections = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.connections += 1
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while frame := connection.recv(260):
                assert frame[2:4] == b"\0\0"
                assert int.from_bytes(frame[4:6], "big") == len(frame) - 6
                if self.coils.mood == "hang up":
                    self.coils.mood = "fine"
                    connection.shutdown(socket.SHUT_RDWR)
                    return
                if self.coils.mood != "stall":
                    connection.sendall(self._framed(frame))

    def _framed(self, frame: bytes) -> bytes:
        answer = self.coils.answer(frame[7:])
        if self.coils.mood == "garble":
            return b"HTTP/1.1 400 Bad Request\r\n\r\n"
        whole = frame[:4] + (len(answer) + 1).to_bytes(2, "big") + frame[6:7] + answer
        old = b"\xff\xff" + whole[2:-1] + b"\0"
        return old + whole if self.coils.mood == "late" else whole

    def hang_up(self) -> None:
        """Close the connections that are open."""
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self._listening.fileno() < 0:
            return
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.hang_up()
        for each in self._open:
            each.close()


class SerialBoard:
    """Something at the other end of a serial line; `answer` gets what came and returns what is said."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer
        self._ours, theirs = pty.openpty()
        tty.setraw(theirs)
        self.port = os.ttyname(theirs)
        self._theirs = theirs
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._ours, 256):
                os.write(self._ours, self._answer(data))

    def close(self) -> None:
        os.close(self._theirs)
        self._thread.join(10)
        os.close(self._ours)


class RtuBoard(Coils):
    """Unit 1 on a serial line: takes frames apart however they come."""

    def __init__(self) -> None:
        super().__init__()
        self._came = b""

    def take(self, data: bytes) -> bytes:
        self._came += data
        length = 8
        if len(self._came) < length:
            return b""
        frame, self._came = self._came[:length], self._came[length:]
        assert crc(frame) == b"\0\0"
        answer = b"\x01" + self.answer(frame[1:-2])
        whole = answer + crc(answer)
        return {"stall": b"", "garble": whole[:-1] + b"\x55"}.get(self.mood, whole)


class Lcus:
    """A board with two relays; `asked` holds every byte."""

    def __init__(self) -> None:
        self.closed = [False, False]
        self.asked = b""
        self.mood: Mood = "fine"
        self._came = b""

    def take(self, data: bytes) -> bytes:
        self.asked += data
        self._came += data
        said = b""
        while self._came:
            if self._came[:1] == b"\xff":
                self._came = self._came[1:]
                said += b"".join(
                    b"CH%d: %s\r\n" % (at, b"ON" if closed else b"OFF")
                    for at, closed in enumerate(self.closed, 1)
                )
                continue
            if len(self._came) < 4:
                break
            start, channel, state, check = self._came[:4]
            self._came = self._came[4:]
            if start == 0xA0 and check == (start + channel + state) % 256 and self.mood != "stick":
                self.closed[channel - 1] = bool(state)
        return b"" if self.mood == "stall" else said


def crc(data: bytes) -> bytes:
    """Return the CRC-16 of Modbus, by long division, low byte first; of a whole frame with its own it is 0."""
    value = 0xFFFF
    for bit in (byte >> at & 1 for byte in data for at in range(8)):
        value = (value >> 1) ^ (0xA001 if (value ^ bit) & 1 else 0)
    return value.to_bytes(2, "little")


@contextlib.contextmanager
def serial_board(answer: Callable[[bytes], bytes]) -> Iterator[SerialBoard]:
    board = SerialBoard(answer)
    try:
        yield board
    finally:
        board.close()
