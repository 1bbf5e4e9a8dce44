"""A file of this machine that is to be sent: its checksum, and where it has data."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.api.verdicts import RecipeFault

_READ = 2**20
Identity = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file whose content is known. `stored`: bytes outside of holes."""

    path: str
    size: int
    stored: int
    sha256: str
    identity: Identity

    @property
    def name(self) -> str:
        """Return its name without folders."""
        return Path(self.path).name

    @property
    def changed(self) -> bool:
        """Tell whether the file is not what it was."""
        try:
            return _identity(Path(self.path).stat()) != self.identity
        except OSError:
            return True


class Files:
    """Files by their path; each is read for its checksum once, and again only when it has changed."""

    def __init__(self) -> None:
        """Know of no file yet."""
        self._lock = threading.Lock()
        self._known: dict[str, Source] = {}

    def of(self, path: str) -> Source:
        """Return a file with its checksum; raise RecipeFault when it cannot be read."""
        try:
            with self._lock, Path(path).open("rb", buffering=0) as file:
                found = os.fstat(file.fileno())
                if not stat.S_ISREG(found.st_mode) or os.pread(file.fileno(), 1, found.st_size):
                    raise RecipeFault(f"{path!r} is no plain file, or grows while it is read")
                known = self._known.get(path)
                if known is None or known.identity != _identity(found):
                    known = self._known[path] = _read(path, file.fileno(), found)
                return known
        except OSError as error:
            raise RecipeFault(f"cannot read {path!r}: {error.strerror}", evidence={"path": path}) from error


def extents(descriptor: int, start: int, size: int) -> Iterator[tuple[int, int]]:
    """Return where a file has data from `start` on: beginning and end of each part, in order (lseek(2))."""
    while start < size:
        try:
            begin = os.lseek(descriptor, start, os.SEEK_DATA)
            start = os.lseek(descriptor, begin, os.SEEK_HOLE)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but a hole is left
                return
            begin, start = start, size  # this file system does not know
        yield begin, min(start, size)


def digest_of_start(descriptor: int, length: int) -> str:
    """Return the SHA-256 of the first bytes of a file."""
    digest, done = hashlib.sha256(), 0
    while done < length and (data := os.pread(descriptor, min(_READ, length - done), done)):
        digest.update(data)
        done += len(data)
    return digest.hexdigest()


def _read(path: str, descriptor: int, found: os.stat_result) -> Source:
    return Source(
        path=path,
        size=found.st_size,
        stored=sum(end - begin for begin, end in extents(descriptor, 0, found.st_size)),
        sha256=digest_of_start(descriptor, found.st_size),
        identity=_identity(found),
    )


def _identity(found: os.stat_result) -> Identity:
    return found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev
