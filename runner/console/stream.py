"""The seam to a port: what a console driver gives, and what the reader makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class ConsoleGone(Exception):
    """The port has vanished or was closed at its other end; it is opened again."""


class ConsoleEnded(ConsoleGone):
    """What was at the other end has ended: it says nothing more until its power is switched."""


class Stream(Protocol):
    """An open port. One thread reads while others write; `close` may come from any."""

    def read(self, timeout: float) -> bytes:
        """Return what has arrived, as much as there is; wait up to `timeout` seconds for the first byte.

        Return ``b""`` when nothing came in time; raise ConsoleGone when the port is no more.
        """

    def write(self, data: bytes) -> None:
        """Send all of `data`; raise ConsoleGone when the port is no more."""

    def close(self) -> None:
        """Let go of the port and wake whoever reads from it."""


@dataclass(frozen=True)
class Chunk:
    """Bytes as they were read, with the clocks of that moment.

    `index` counts the bytes of this console from 0. A remark, such as on a gap in the
    port's life, has no data and its text in `gap`. `ended`: nothing more comes until the
    power is switched.
    """

    index: int
    monotonic_ns: int
    wall_ns: int
    data: bytes
    gap: str = ""
    ended: bool = False
