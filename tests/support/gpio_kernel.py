"""GPIO chips in place of the kernel's, that take its structures byte for byte (include/uapi/linux/gpio.h)."""

from __future__ import annotations

import errno
import os
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

GET_CHIPINFO, GET_LINEINFO, GET_LINE = 0x8044B401, 0xC100B405, 0xC250B407
SET_CONFIG, GET_VALUES, SET_VALUES = 0xC110B40D, 0xC010B40E, 0xC010B40F
"""The numbers of the requests as C's macros make them, on all processors but a few old ones."""
USED, ACTIVE_LOW, INPUT, OUTPUT, RISING, FALLING, OPEN_DRAIN = 1, 2, 4, 8, 16, 32, 64
_EDGES = RISING | FALLING


@dataclass
class FakeLine:
    """A line; `level` is the voltage on it: 1 is high. `held` is a short circuit to that voltage."""

    name: str = ""
    consumer: str = ""
    level: int = 0
    held: int | None = None
    flags: int = INPUT
    events: socket.socket | None = None
    edges: int = 0
    history: list[int] = field(default_factory=list)
    """Every level that was driven."""

    @property
    def voltage(self) -> int:
        return self.level if self.held is None else self.held


class FakeKernel:
    """A kernel with chips; `asked` holds each request and what it was asked, `fails` what goes wrong."""

    def __init__(self, **chips: Sequence[FakeLine]) -> None:
        self.lines = {f"/dev/{name}": list(lines) for name, lines in chips.items()}
        self.asked: list[tuple[int, bytes]] = []
        self.fails: dict[int, int] = {}
        self._paths: dict[int, str] = {}
        self._requested: dict[int, FakeLine] = {}

    def close(self) -> None:
        """Take every chip away."""
        for lines in self.lines.values():
            for line in lines:
                if line.events is not None:
                    line.events.close()

    def chips(self) -> Sequence[str]:
        return list(self.lines)

    def open(self, path: str) -> int:
        if path not in self.lines:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        descriptor = os.open("/dev/null", os.O_RDWR)
        self._paths[descriptor] = path
        return descriptor

    def ioctl(self, descriptor: int, request: int, data: bytearray) -> None:
        self.asked.append((request, bytes(data)))
        assert len(data) == request >> 16 & 0x3FFF
        if error := self.fails.get(request):
            raise OSError(error, os.strerror(error))
        if request in (GET_VALUES, SET_VALUES, SET_CONFIG):
            self._line(self._requested[descriptor], request, data)
        else:
            self._chip(self._paths[descriptor], request, data)

    def _chip(self, path: str, request: int, data: bytearray) -> None:
        lines = self.lines[path]
        if request == GET_CHIPINFO:
            data[:] = struct.pack("32s32sI", path[5:].encode(), f"label of {path[5:]}".encode(), len(lines))
            return
        if request == GET_LINEINFO:
            line = lines[int.from_bytes(data[64:68], "little")]
            used = USED if line.consumer else 0
            data[:64] = struct.pack("32s32s", line.name.encode(), line.consumer.encode())
            data[72:80] = (line.flags | used).to_bytes(8, "little")
            return
        line = lines[int.from_bytes(data[0:4], "little")]
        if line.consumer:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        line.consumer = data[256:288].partition(b"\0")[0].decode()
        flags = int.from_bytes(data[288:296], "little")
        line.flags = flags if flags & (INPUT | OUTPUT) else flags | line.flags & (INPUT | OUTPUT)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        line.events = theirs
        taken = ours.detach()
        self._requested[taken] = line
        data[588:592] = taken.to_bytes(4, "little")

    def _line(self, line: FakeLine, request: int, data: bytearray) -> None:
        if request == SET_CONFIG:
            flags, count = struct.unpack_from("<QI", data)
            if (flags ^ line.flags) & _EDGES:
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
            line.flags = flags
            if count:
                kind, value, mask = struct.unpack_from("<I4xQQ", data, 32)
                assert (kind, mask) == (2, 1)
                self._drive(line, value & 1)
        elif request == SET_VALUES:
            if not line.flags & OUTPUT:
                raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
            self._drive(line, data[0])
        else:
            data[0] = line.voltage ^ bool(line.flags & ACTIVE_LOW)

    def _drive(self, line: FakeLine, active: int) -> None:
        line.level = active ^ bool(line.flags & ACTIVE_LOW)
        line.history.append(line.level)


def change(line: FakeLine, *levels: int, lost: int = 0, at: float | None = None, apart: float = 0.0) -> None:
    """Put voltages on an input, one after the other; `lost` edges before them are not told."""
    line.edges += lost
    for number, level in enumerate(levels):
        if level == line.level or line.events is None:
            continue
        line.level = level
        line.edges += 1
        moment = (time.monotonic() if at is None else at) + number * apart
        kind = 1 if level ^ bool(line.flags & ACTIVE_LOW) else 2
        line.events.send(struct.pack("<Q4I24x", int(moment * 1e9), kind, 0, line.edges, line.edges))
