"""The remote framebuffer protocol (RFC 6143): what a picture of the screen and keys need of it.

The clients on PyPI need numpy, Twisted or compiled image libraries, none of which can travel to hosts.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager

from runner.api import LabError, Picture, Secret, Unreachable, Unsupported
from runner.modules.vnc.des import encrypted

_NO_PASSWORD, _PASSWORD = 1, 2
_RAW, _DESKTOP_SIZE = 0, -223
_UPDATE, _COLOURS, _BELL, _CUT_TEXT = range(4)
_PIXELS = struct.pack(">BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 0, 8, 16)
"""Section 7.4: four bytes for each, red, green, blue and one that means nothing."""
_LARGEST = 1 << 28


class Rfb:
    """An open connection, past its handshake."""

    def __init__(self, connection: socket.socket, where: str, password: Secret, timeout: float) -> None:
        """Take a connected socket and shake hands; raise a LabError when that fails."""
        self._socket = connection
        self._where = where
        self._screen, self._come = bytearray(), bytearray()
        self._resized = False
        try:
            with self._within(timeout):
                self._authenticate(self._version(), password)
                self._begin()
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    @property
    def fresh(self) -> bool:
        """Whether it is open at both ends, and no answer to an earlier question is under way."""
        poll = select.poll()
        poll.register(self._socket, select.POLLRDHUP)
        return not self._resized and not poll.poll(0)

    def picture(self, timeout: float) -> Picture:
        """Ask for the whole screen (section 7.5.3), and wait until every pixel of it has come."""
        with self._within(timeout):
            while True:
                size = self.width, self.height
                self._screen, self._come = bytearray(4 * size[0] * size[1]), bytearray(size[0] * size[1])
                self._send(struct.pack(">BBHHHH", 3, 0, 0, 0, *size))
                while size == (self.width, self.height):
                    if 0 not in self._come:
                        return Picture(*size, _colours(self._screen))
                    self._message()
                self._resized = True

    def key(self, keysym: int, timeout: float, *, down: bool) -> None:
        """Press a key or let go of it (section 7.5.4)."""
        with self._within(timeout):
            self._send(struct.pack(">BBxxI", 4, down, keysym))

    def _version(self) -> str:
        """Agree on a version (section 7.1.1)."""
        said = self._take(12)
        if not said.startswith(b"RFB ") or not said.endswith(b"\n"):
            raise LabError(f"{self._where}: this is no VNC server: it says {said!r}")
        offered = said[4:11].decode("ascii", "replace")
        version = "003.008" if offered >= "003.008" else "003.007" if offered >= "003.007" else "003.003"
        self._send(f"RFB {version}\n".encode())
        return version

    def _authenticate(self, version: str, password: Secret) -> None:
        """Agree on a security type, and pass it (sections 7.1.2, 7.1.3 and 7.2)."""
        if version == "003.003":
            (chosen,) = struct.unpack(">I", self._take(4))
            offered = bytes([chosen]) if chosen else b""
        else:
            offered = self._take(self._take(1)[0])
        if not offered:
            raise LabError(f"{self._where}: the VNC server refuses: {self._text()}")
        chosen = self._chosen(offered, password)
        if version != "003.003":
            self._send(bytes([chosen]))
        if chosen == _PASSWORD:
            self._send(response(password, self._take(16)))
        if chosen == _PASSWORD or version == "003.008":
            self._result(version)

    def _chosen(self, offered: bytes, password: Secret) -> int:
        if _NO_PASSWORD in offered and not (password and _PASSWORD in offered):
            return _NO_PASSWORD
        if _PASSWORD not in offered:
            raise Unsupported(
                f"{self._where}: the VNC server offers the security types {list(offered)}",
                hint="1 (none) and 2 (VNC authentication) are understood",
            )
        if not password:
            raise LabError(f"{self._where}: the VNC server wants a password", hint="the option password")
        return _PASSWORD

    def _result(self, version: str) -> None:
        if self._take(4) == bytes(4):
            return
        why = f": {self._text()}" if version == "003.008" else ""
        raise LabError(
            f"{self._where}: the VNC server does not let us in{why}", hint="is the password right?"
        )

    def _begin(self) -> None:
        """Say how pixels are to be sent (sections 7.3, 7.5.1 and 7.5.2); others may look, too."""
        self._send(b"\1")
        self.width, self.height = struct.unpack(">HH16x", self._take(20))
        self.name = self._text()
        self._send(b"\0\0\0\0" + _PIXELS + struct.pack(">BxHii", 2, 2, _RAW, _DESKTOP_SIZE))

    def _message(self) -> None:
        """Take one message (section 7.6)."""
        kind = self._take(1)[0]
        if kind == _UPDATE:
            (rectangles,) = struct.unpack(">xH", self._take(3))
            for _ in range(rectangles):
                self._rectangle()
        elif kind == _COLOURS:
            (colours,) = struct.unpack(">3xH", self._take(5))
            self._take(6 * colours)
        elif kind == _CUT_TEXT:
            self._take(3)
            self._text()
        elif kind != _BELL:
            raise LabError(f"{self._where}: the VNC server sends a message of the kind {kind}, not asked for")

    def _rectangle(self) -> None:
        """Put a rectangle in its place (section 7.7.1), or take a new size (7.8.2)."""
        left, top, width, height, encoding = struct.unpack(">HHHHi", self._take(12))
        if encoding == _DESKTOP_SIZE:
            self.width, self.height = width, height
            return
        if encoding != _RAW:
            raise LabError(f"{self._where}: the VNC server sends the encoding {encoding}, not asked for")
        data = self._take(4 * width * height)
        fits = left + width <= self.width and (top + height) * self.width <= len(self._come)
        for number in range(height if fits else 0):  # what does not is from before the size changed
            at = (top + number) * self.width + left
            self._screen[4 * at : 4 * (at + width)] = data[4 * number * width : 4 * (number + 1) * width]
            self._come[at : at + width] = b"\1" * width

    def _text(self) -> str:
        (length,) = struct.unpack(">I", self._take(4))
        return self._take(length).decode("utf-8", "replace")

    def _take(self, length: int) -> bytes:
        if length > _LARGEST:
            raise LabError(f"{self._where}: the VNC server announces {length} bytes at once")
        data = bytearray()
        while len(data) < length:
            self._socket.settimeout(max(0.001, self._until - time.monotonic()))
            piece = self._socket.recv(min(length - len(data), 1 << 20))
            if not piece:
                raise Unreachable(f"{self._where}: the VNC server has closed the connection")
            data += piece
        return bytes(data)

    def _send(self, data: bytes) -> None:
        self._socket.settimeout(max(0.001, self._until - time.monotonic()))
        self._socket.sendall(data)

    @contextmanager
    def _within(self, timeout: float) -> Iterator[None]:
        """Set the limit, and translate the errors of the socket."""
        self._until = time.monotonic() + timeout
        try:
            yield
        except TimeoutError as error:
            raise Unreachable(
                f"{self._where}: the VNC server has not answered within {timeout:g}s",
                evidence={"limit": timeout},
                hint="give it more time with 'timeout'",
            ) from error
        except OSError as error:
            raise Unreachable(f"{self._where}: the VNC server is gone: {error.strerror or error}") from error


def response(password: str, challenge: bytes) -> bytes:
    """Answer the challenge of VNC authentication (section 7.2.2): DES, each byte of the key mirrored.

    >>> response("secret", bytes(16)).hex()[:16] == response("secret", bytes(16)).hex()[16:]
    True
    """
    key = password.encode("latin-1", "replace")[:8].ljust(8, b"\0")
    mirrored = bytes(int(f"{byte:08b}"[::-1], 2) for byte in key)
    return encrypted(mirrored, challenge[:8]) + encrypted(mirrored, challenge[8:])


def _colours(screen: bytearray) -> bytes:
    """Leave out the byte that means nothing."""
    rgb = bytearray(len(screen) // 4 * 3)
    for place in range(3):
        rgb[place::3] = screen[place::4]
    return bytes(rgb)
