"""The kernel's interface to GPIO lines as bytes: version 2, since Linux 5.10 (include/uapi/linux/gpio.h).

Every structure of it is laid out so that it has no holes but those that are named, on every processor.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_NAME = 32
"""GPIO_MAX_NAME_SIZE, with the zero at the end."""
_MOST_LINES, _MOST_ATTRIBUTES = 64, 10
_ATTRIBUTE = "2IQ"
_CONFIG = f"QI5I{_MOST_ATTRIBUTES * 24}s"
_CHIP = struct.Struct(f"={_NAME}s{_NAME}sI")
_INFO = struct.Struct(f"={_NAME}s{_NAME}s2IQ{_MOST_ATTRIBUTES * 16}s4I")
_REQUEST = struct.Struct(f"={_MOST_LINES}I{_NAME}s{struct.calcsize('=' + _CONFIG)}s2I5Ii")
_VALUES = struct.Struct("=2Q")
_EVENT = struct.Struct("=Q4I6I")
_EVENT_ROOM = 1024
"""Edges that the kernel keeps until they are read: the most that it takes."""
_OUTPUT_VALUES = 2
"""GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES."""

ACTIVE_LOW, INPUT, OUTPUT, RISING, FALLING = 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5
OPEN_DRAIN, OPEN_SOURCE, PULL_UP, PULL_DOWN, NO_BIAS = 1 << 6, 1 << 7, 1 << 8, 1 << 9, 1 << 10
USED = 1 << 0


def _ioctl(direction: int, number: int, size: int) -> int:
    """Return the number of a request (include/uapi/asm-generic/ioctl.h): direction 2 reads, 3 does both."""
    return direction << 30 | size << 16 | 0xB4 << 8 | number


GET_CHIPINFO = _ioctl(2, 0x01, _CHIP.size)
GET_LINEINFO = _ioctl(3, 0x05, _INFO.size)
GET_LINE = _ioctl(3, 0x07, _REQUEST.size)
SET_CONFIG = _ioctl(3, 0x0D, struct.calcsize("=" + _CONFIG))
GET_VALUES = _ioctl(3, 0x0E, _VALUES.size)
SET_VALUES = _ioctl(3, 0x0F, _VALUES.size)


@dataclass(frozen=True)
class Event:
    """An edge: `time` in nanoseconds; `number` counts the edges of this line, from 1."""

    time: int
    rising: bool
    number: int


EVENT_SIZE = _EVENT.size


def chip_info() -> bytearray:
    """Return room for what a chip says of itself."""
    return bytearray(_CHIP.size)


def chip_of(data: bytes | bytearray) -> tuple[str, str, int]:
    """Return a chip's name, its label and its number of lines."""
    name, label, lines = _CHIP.unpack(data)
    return _text(name), _text(label), lines


def line_info(offset: int) -> bytearray:
    """Return the question what a line is."""
    return bytearray(_INFO.pack(b"", b"", offset, 0, 0, b"", 0, 0, 0, 0))


def line_of(data: bytes | bytearray) -> tuple[str, str, int]:
    """Return a line's name, who uses it, and its flags."""
    name, consumer, _, _, flags, *_ = _INFO.unpack(data)
    return _text(name), _text(consumer), flags


def config(flags: int, value: int | None = None) -> bytearray:
    """Return the configuration of one line; `value`: what an output begins with, active as 1."""
    attributes = b""
    if value is not None:
        attributes = struct.pack(f"={_ATTRIBUTE}Q", _OUTPUT_VALUES, 0, value, 1)
    count = 0 if value is None else 1
    return bytearray(struct.pack("=" + _CONFIG, flags, count, 0, 0, 0, 0, 0, attributes))


def request(offset: int, consumer: str, flags: int) -> bytearray:
    """Return the request for one line."""
    offsets = (offset, *(0,) * (_MOST_LINES - 1))
    name = consumer.encode()[: _NAME - 1]
    return bytearray(_REQUEST.pack(*offsets, name, bytes(config(flags)), 1, _EVENT_ROOM, 0, 0, 0, 0, 0, 0))


def descriptor_of(data: bytes | bytearray) -> int:
    """Return the file descriptor in an answered request."""
    descriptor: int = _REQUEST.unpack(data)[-1]
    return descriptor


def values(bits: int = 0) -> bytearray:
    """Return the value of one line, to be set, or room for it."""
    return bytearray(_VALUES.pack(bits, 1))


def value_of(data: bytes | bytearray) -> int:
    """Return the value of one line."""
    bits: int = _VALUES.unpack(data)[0]
    return bits & 1


def events_of(data: bytes | bytearray) -> Iterator[Event]:
    """Return the edges that were read."""
    for time, kind, _, _, number, *_ in _EVENT.iter_unpack(data[: len(data) // EVENT_SIZE * EVENT_SIZE]):
        yield Event(time=time, rising=kind == 1, number=number)


def _text(name: bytes) -> str:
    return name.partition(b"\0")[0].decode(errors="replace")
