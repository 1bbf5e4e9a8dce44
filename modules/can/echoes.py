"""Frames that come back to us: UDP multicast gives a sender its own datagrams too (ip(7))."""

from __future__ import annotations

import threading
import time
from collections import deque

from runner.api import CanFrame

_LATEST = 1.0
"""Seconds within which a frame comes back, or not at all."""


class Echoes:
    """Remembers what was sent, until it has come back once; safe to use from many threads."""

    def __init__(self) -> None:
        """Expect nothing yet."""
        self._expected: deque[tuple[float, tuple[object, ...]]] = deque()
        self._lock = threading.Lock()

    def expect(self, frame: CanFrame) -> None:
        """Say that a frame is being sent."""
        with self._lock:
            self._expected.append((time.monotonic(), _content(frame)))

    @property
    def expected(self) -> bool:
        """Tell whether any frame may come back."""
        return bool(self._expected)

    def is_one(self, frame: CanFrame) -> bool:
        """Tell whether a received frame is ours come back; each is so once."""
        with self._lock:
            while self._expected and self._expected[0][0] < time.monotonic() - _LATEST:
                self._expected.popleft()
            content = _content(frame)
            for entry in self._expected:
                if entry[1] == content:
                    self._expected.remove(entry)
                    return True
            return False


def _content(frame: CanFrame) -> tuple[object, ...]:
    return (frame.id, frame.extended, frame.remote, frame.fd, frame.bitrate_switch, bytes(frame.data))
