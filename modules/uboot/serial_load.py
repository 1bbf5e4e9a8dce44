"""Loading a file over the serial line: what is sent, at which speed, and how long that may take."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runner.api import Context, Duration, Failed, FilePath, RecipeFault, Unsupported
from runner.console import Console, Ran, Sender, SerialConsole

Protocol = Literal["ymodem", "xmodem"]

_BITS = 10
"""Of a character on the line, with its start and stop bit."""
_USUAL = 115200
"""The speed of a console that has none of its own, for the time limit only."""
_AT_LEAST = 60.0
_PATIENCE = 3.0
"""How many times longer than its bits a transfer may take."""


@dataclass(frozen=True)
class Image:
    """A file on the bench's host that is sent."""

    path: FilePath
    content: bytes

    @property
    def crc32(self) -> str:
        """Its sum, in eight hexadecimal digits."""
        return f"{zlib.crc32(self.content):08x}"


def read_image(path: FilePath) -> Image:
    """Read the file; raise RecipeFault when it is not there, or empty."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise RecipeFault(f"cannot read {str(path)!r} on the bench's host: {error.strerror}") from error
    if not content:
        raise RecipeFault(f"{str(path)!r} is empty: there is nothing to load")
    return Image(path, content)


def time_limit(image: Image, console: Console, baudrate: int | None, context: Context) -> Duration:
    """Return how long it may take; raise RecipeFault when the step's limit is too short even for the bits."""
    speed = baudrate or (console.line_settings().baudrate if isinstance(console, SerialConsole) else None)
    bits = len(image.content) * _BITS
    if speed and bits / speed > context.left:
        raise RecipeFault(
            f"{len(image.content)} bytes take at least {Duration(bits / speed)} at {speed} bit/s, "
            f"but the step has {Duration(float(context.left))} left",
            hint="give the step a longer timeout, or baudrate: a higher speed",
        )
    return Duration(max(_AT_LEAST, _PATIENCE * bits / (speed or _USUAL)))


def send(
    image: Image,
    address: str,
    protocol: Protocol,
    console: Console,
    context: Context,
    *,
    baudrate: int | None,
    timeout: Duration,
) -> tuple[Ran, int]:
    """Have U-Boot receive it; return what it printed, and how many blocks were sent again."""
    name = Path(image.path).name if protocol == "ymodem" else ""
    sender = Sender(image.content, large=True, name=name)
    change, command = None, f"{'loady' if protocol == 'ymodem' else 'loadx'} {address}"
    if baudrate is not None:
        if not isinstance(console, SerialConsole):
            raise Unsupported("this console has no speed: leave 'baudrate' out")
        if baudrate != console.line_settings().baudrate:
            change, command = console.at_speed(baudrate), f"{command} {baudrate}"
    ran = console.converse(
        command, sender, context, total=len(image.content), timeout=timeout, at="uboot", change=change
    )
    return ran, sender.repeated


def check_size(image: Image, told: int, protocol: Protocol) -> None:
    """Raise Failed when U-Boot has counted something else.

    XMODEM knows no size: its last block is filled up with SUB, and U-Boot drops those at the end.
    """
    size = len(image.content)
    least = len(image.content.rstrip(b"\x1a")) if protocol == "xmodem" else size
    most = -(-size // 1024) * 1024 if protocol == "xmodem" else size
    if not least <= told <= most:
        raise Failed(
            f"U-Boot has received {told} bytes of {Path(image.path).name}, expected {size}",
            evidence={"expected": size, "actual": told},
        )
