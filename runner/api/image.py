"""A file or block device of the host as storage: what drivers of media are made of."""

from __future__ import annotations

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.api import disks
from runner.api.interfaces import Storage
from runner.api.values import Size
from runner.api.verdicts import LabError, Unreachable, Unsupported

_BLKFLSBUF = 0x1261
"""Write a block device's buffers back and drop them (linux/fs.h)."""


class Image(Storage):
    """A file of the host, opened and closed by the driver that owns it.

    With a capacity it is extended to that, as holes, and never grows beyond. Without one a
    file grows and a block device says itself how much it holds. An empty path is a temporary
    file that is gone when it is closed; `path` then names it for other processes (proc(5)).
    """

    def __init__(self, path: str, capacity: Size | None, *, reading: bool = False) -> None:
        """Choose the file; nothing is opened yet. `reading`: it may be protected against writing."""
        self.path = path
        self._shown = repr(path) if path else "the temporary medium"
        self._temporary = not path
        self._capacity = capacity
        self._reading = reading
        self._file: int | None = None

    def open(self) -> None:
        """Open the file, and make it when it is not there; raise Unreachable when that fails."""
        try:
            self._file = self._opened()
        except OSError as error:
            raise Unreachable(
                f"cannot open {self._shown}: {error.strerror}", evidence={"path": self.path}
            ) from error
        if self._is_file and self._capacity is not None and not self._reading:
            with self._translated("extend"):
                if os.fstat(self._file).st_size < self._capacity:
                    os.truncate(self._file, self._capacity)

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        if self._file is None:
            return
        os.close(self._file)
        self._file = None
        if self._temporary:
            self.path = ""

    def size(self) -> Size | None:
        """Return how many bytes it holds; None for a file that grows."""
        if self._capacity is not None and self._is_file:
            return max(self._capacity, Size(os.fstat(self._descriptor).st_size))
        if self._is_file:
            return None
        with self._translated("measure"):
            return Size(os.lseek(self._descriptor, 0, os.SEEK_END))

    def grow(self, capacity: Size) -> None:
        """Make a file hold more; raise LabError for less, and where it would not fit on its file system."""
        if not self._is_file:
            raise Unsupported(f"{self._shown} is a block device: it cannot be made larger")
        refuse_size(
            self._shown, self.size() or Size(0), capacity, used=self._used, descriptor=self._descriptor
        )
        with self._translated("extend"):
            os.truncate(self._descriptor, capacity)
        self._capacity = capacity

    @property
    def _used(self) -> int:
        """Bytes that it occupies already (stat(2): blocks are of 512 bytes)."""
        return os.fstat(self._descriptor).st_blocks * 512

    def write(self, offset: int, data: bytes) -> None:
        """Write all of `data` at `offset`; raise LabError when it does not fit."""
        size = self.size()
        if size is not None and offset + len(data) > size:
            raise LabError(
                f"{self._shown} holds {size}: cannot write {len(data)} bytes at {offset}",
                evidence={"path": self.path, "size": int(size), "offset": offset, "length": len(data)},
            )
        view = memoryview(data)
        with self._translated("write"):
            while view:
                written = os.pwrite(self._descriptor, view, offset)
                view, offset = view[written:], offset + written

    def read(self, offset: int, length: int) -> bytes:
        """Read up to `length` bytes at `offset`; fewer only at the end."""
        pieces: list[bytes] = []
        with self._translated("read"):
            while length and (piece := os.pread(self._descriptor, length, offset)):
                pieces.append(piece)
                offset, length = offset + len(piece), length - len(piece)
        return b"".join(pieces)

    def flush(self) -> None:
        """Return when the disk has everything."""
        with self._translated("flush"):
            os.fsync(self._descriptor)

    def refusal(self) -> str:
        """Say why a block device is not to be written: it is in use, or built in."""
        return "" if self._is_file else disks.refusal(self.path)

    def forget(self) -> None:
        """Drop the kernel's pages of it; what is not on the disk yet stays (posix_fadvise(2))."""
        with self._translated("read"):
            os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            if stat.S_ISBLK(os.fstat(self._descriptor).st_mode) and os.geteuid() == 0:
                fcntl.ioctl(self._descriptor, _BLKFLSBUF)

    @property
    def _descriptor(self) -> int:
        if self._file is None:
            raise LabError(f"{self._shown} is not open")
        return self._file

    @property
    def _is_file(self) -> bool:
        return stat.S_ISREG(os.fstat(self._descriptor).st_mode)

    def _opened(self) -> int:
        if self._temporary:
            descriptor, path = tempfile.mkstemp(prefix="runner-medium-")
            Path(path).unlink()
            self.path = f"/proc/{os.getpid()}/fd/{descriptor}"
            return descriptor
        made = 0 if self.path.startswith("/dev/") else os.O_CREAT
        how = os.O_RDONLY if self._reading else os.O_RDWR | made
        return os.open(self.path, how | os.O_CLOEXEC, 0o644)

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LabError(
                f"cannot {doing} {self._shown}: {error.strerror}", evidence={"path": self.path}
            ) from error


def refuse_size(shown: str, now: Size, wanted: Size, *, used: int, descriptor: int) -> None:
    """Refuse to make a file smaller, or larger than its file system has space for when it is written full."""
    if wanted < now:
        raise LabError(
            f"{shown} holds {now}: it cannot be made smaller, {wanted}",
            evidence={"size": int(now), "wanted": int(wanted)},
        )
    system = os.fstatvfs(descriptor)
    free = system.f_bavail * system.f_frsize
    if wanted - used > free:
        raise LabError(
            f"no space for {shown} of {wanted}: its file system has {Size(free)} free",
            evidence={"free": free, "wanted": int(wanted)},
        )
