"""The calls to the kernel that GPIO needs, which tests answer in its place."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path


class Kernel:
    """The kernel of this machine."""

    def chips(self) -> Sequence[str]:
        """Return the paths of all GPIO chips, in the order of their numbers."""
        found = Path("/dev").glob("gpiochip*")
        return sorted(map(str, found), key=lambda path: (len(path), path))

    def open(self, path: str) -> int:
        """Open a chip."""
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def ioctl(self, descriptor: int, request: int, data: bytearray) -> None:
        """Ask; the answer is in `data`."""
        fcntl.ioctl(descriptor, request, data)
