"""A file, an image or a block device of the host as storage."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from runner.api import Driver, LabError, Size, Storage, Unreachable, arg


class File(Driver, Storage):
    """A file, an image or a block device of the host, written and read as a medium.

    Example::

        devices:
          disk: {driver: file, path: /var/lib/bench/disk.img, capacity: 64MiB}
    """

    path: str = arg(primary=True, help="the file on the host; made when it is not there")
    capacity: Size | None = arg(
        default=None, help="how much it holds; without it a file grows, and a block device says itself"
    )

    def open(self) -> None:
        """Open the file; raise Unreachable when that cannot be done."""
        made = 0 if self.path.startswith("/dev/") else os.O_CREAT
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CLOEXEC | made, 0o644)
        except OSError as error:
            raise Unreachable(
                f"cannot open {self.path!r}: {error.strerror}", evidence={"path": self.path}
            ) from error
        self._regular = stat.S_ISREG(os.fstat(self._file).st_mode)
        if self.capacity is not None and self._regular and os.fstat(self._file).st_size < self.capacity:
            with self._translated("extend"):
                os.truncate(self._file, self.capacity)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def size(self) -> Size | None:
        """Return its capacity, or what a block device says; None for a file that grows."""
        if self.capacity is not None:
            return self.capacity
        if self._regular:
            return None
        with self._translated("measure"):
            return Size(os.lseek(self._file, 0, os.SEEK_END))

    def write(self, offset: int, data: bytes) -> None:
        """Write all of `data` at `offset`; raise LabError when it does not fit."""
        size = self.size()
        if size is not None and offset + len(data) > size:
            raise LabError(
                f"{self.path!r} holds {size}: cannot write {len(data)} bytes at {offset}",
                evidence={"path": self.path, "size": int(size), "offset": offset, "length": len(data)},
            )
        view = memoryview(data)
        with self._translated("write"):
            while view:
                written = os.pwrite(self._file, view, offset)
                view, offset = view[written:], offset + written

    def read(self, offset: int, length: int) -> bytes:
        """Read up to `length` bytes at `offset`; fewer only at the end."""
        pieces: list[bytes] = []
        with self._translated("read"):
            while length and (piece := os.pread(self._file, length, offset)):
                pieces.append(piece)
                offset, length = offset + len(piece), length - len(piece)
        return b"".join(pieces)

    def flush(self) -> None:
        """Return when the disk has everything."""
        with self._translated("flush"):
            os.fsync(self._file)

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LabError(
                f"cannot {doing} {self.path!r}: {error.strerror}", evidence={"path": self.path}
            ) from error
