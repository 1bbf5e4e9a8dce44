"""A serial line between two terminals that carries bytes only while both ends have the same speed."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import termios
import threading
import tty
from collections.abc import Callable

_IDLE = 0.02
"""Seconds without a byte after which all that was written has been carried."""


class SpeedLine:
    """Two terminals, `ours` and `theirs`; what passes at different speeds is lost, as on a UART."""

    def __init__(self) -> None:
        pairs = pty.openpty(), pty.openpty()
        self._masters = pairs[0][0], pairs[1][0]
        self._slaves = pairs[0][1], pairs[1][1]
        for slave in self._slaves:
            tty.setraw(slave)
        self.ours, self.theirs = (os.ttyname(slave) for slave in self._slaves)
        self.when_idle: Callable[[], None] = lambda: None
        """Called again and again while nothing is on its way."""
        self._woken, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._carry, name="line", daemon=True)
        self._thread.start()

    def speeds(self) -> tuple[int, int]:
        """Return the speeds of our end and theirs, as constants of termios."""
        first, second = (termios.tcgetattr(master)[5] for master in self._masters)
        return first, second

    def close(self) -> None:
        os.write(self._wake, b"x")
        self._thread.join(10)
        for descriptor in (*self._masters, *self._slaves, self._woken, self._wake):
            os.close(descriptor)

    def _carry(self) -> None:
        first, second = self._masters
        other = {first: second, second: first}
        while True:
            ready = select.select([first, second, self._woken], [], [], _IDLE)[0]
            if self._woken in ready:
                return
            if not ready:
                self.when_idle()
            for master in ready:
                data = os.read(master, 65536)
                ours, theirs = self.speeds()
                while data and ours == theirs:
                    with contextlib.suppress(BlockingIOError):
                        data = data[os.write(other[master], data) :]
