"""The medium of a simulated board: a file, and the storage that benches write to."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from runner.api import LabError, Size, Storage
from runner.modules.sim.hardware import RELEASE


class FileMedium(Storage):
    """A file of a fixed size; without a path, a temporary one that is gone at the end.

    A new file holds the default system. What is written at its beginning decides what
    boots next: the version number in the first line is the kernel's release.
    """

    def __init__(self, path: str, size: Size) -> None:
        """Choose the file; nothing is opened yet."""
        self._path = path
        self._size = size
        self._file: int | None = None

    def open(self) -> None:
        """Open the file, and make it when it is not there."""
        try:
            self._file = self._opened()
            if os.fstat(self._file).st_size == 0:
                os.pwrite(self._file, f"SIMOS {RELEASE}\n".encode(), 0)
            if os.fstat(self._file).st_size < self._size:
                os.truncate(self._file, self._size)
        except OSError as error:
            raise LabError(f"cannot open the simulated medium {self._path!r}: {error.strerror}") from error

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def size(self) -> Size:
        """Return how many bytes it holds."""
        return Size(os.fstat(self._descriptor).st_size)

    def write(self, offset: int, data: bytes) -> None:
        """Write all of `data` at `offset`; raise LabError when it does not fit."""
        if offset + len(data) > self.size():
            raise LabError(
                f"the simulated medium holds {self.size()}: cannot write {len(data)} bytes at {offset}",
                evidence={"size": int(self.size()), "offset": offset, "length": len(data)},
                hint="give the board a larger one with the option 'capacity'",
            )
        view = memoryview(data)
        while view:
            written = self._written(view, offset)
            view, offset = view[written:], offset + written

    def read(self, offset: int, length: int) -> bytes:
        """Read up to `length` bytes at `offset`; fewer only at the end."""
        return os.pread(self._descriptor, length, offset)

    def flush(self) -> None:
        """Do nothing: the board reads the same file."""

    @property
    def _descriptor(self) -> int:
        if self._file is None:
            raise LabError("the simulated medium is closed")
        return self._file

    def _opened(self) -> int:
        if self._path:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        descriptor, path = tempfile.mkstemp(prefix="runner-sim-")
        Path(path).unlink()
        return descriptor

    def _written(self, view: memoryview, offset: int) -> int:
        try:
            return os.pwrite(self._descriptor, view, offset)
        except OSError as error:
            raise LabError(f"cannot write to the simulated medium: {error.strerror}") from error
