"""A file, an image or a block device of the host as storage."""

from __future__ import annotations

from runner.api import Driver, Needs, Size, Storage, arg
from runner.api.image import Image


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

    def needs(self) -> Needs:
        """Return the file."""
        return Needs(nodes=(self.path,))

    def open(self) -> None:
        """Open the file; raise Unreachable when that cannot be done."""
        self._image = Image(self.path, self.capacity)
        self._image.open()

    def close(self) -> None:
        """Close the file."""
        self._image.close()

    def size(self) -> Size | None:
        """Return how much it holds; None for a file that grows."""
        return self._image.size()

    def write(self, offset: int, data: bytes) -> None:
        """Write all of `data` at `offset`; raise LabError when it does not fit."""
        self._image.write(offset, data)

    def read(self, offset: int, length: int) -> bytes:
        """Read up to `length` bytes at `offset`; fewer only at the end."""
        return self._image.read(offset, length)

    def flush(self) -> None:
        """Return when the disk has everything."""
        self._image.flush()

    def refusal(self) -> str:
        """Say why a block device is not to be written."""
        return self._image.refusal()

    def forget(self) -> None:
        """Drop what the kernel keeps of it."""
        self._image.forget()
