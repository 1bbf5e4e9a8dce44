"""A file that is on its way to the host: what has come of it stays for the next try."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
from pathlib import Path

from runner.agent import bulk
from runner.agent.room import no_room, written
from runner.agent.store import Store, locked
from runner.api.values import Size
from runner.api.verdicts import LabError

_READ = 2**20


class Part:
    """The beginning of a file in a store, open for more; `keep` or `close` it.

    Two agents that are sent the same file write two parts.
    """

    def __init__(self, store: Store, sha256: str, size: int, name: str) -> None:
        """Open what is there already; raise LabError when nothing can be written."""
        self._store = store
        self._sha256 = sha256
        self._size = size
        self._name = name
        self._unpacker = bulk.Unpacker()
        self._digest = hashlib.sha256()
        self.length = 0
        """How much has come, from the beginning on."""
        with self._translated():
            self._path, self._file = _opened(store.root, sha256)
        self._take_up()

    @property
    def sha256(self) -> str:
        """Return the checksum of what has come."""
        return self._digest.hexdigest()

    def refuse_without_room(self, stored: int) -> None:
        """Raise LabError when so many bytes do not fit on the file system."""
        found = os.fstatvfs(self._file)
        held = os.fstat(self._file).st_blocks * 512
        if stored > found.f_bavail * found.f_frsize + held:
            why = f"{Size(stored)} are to be written"
            raise no_room(self._store.root, f"{self._name} ({Size(self._size)})", why)

    def take(self, payload: bytes) -> None:
        """Write what a payload stands for; raise LabError when the disk refuses."""
        with self._translated():
            match payload[:1]:
                case bulk.FROM:
                    self._from(bulk.place(payload))
                case bulk.HOLE:
                    self._skip(bulk.place(payload))
                case _:
                    for piece in self._unpacker.pieces(payload):
                        self.write(piece)

    def write(self, data: bytes) -> None:
        """Append bytes."""
        view = memoryview(data)
        with self._translated():
            while view:
                written = os.pwrite(self._file, view, self.length)
                self._digest.update(view[:written])
                view, self.length = view[written:], self.length + written

    def keep(self) -> Path:
        """Return the path of the whole file; raise LabError when it is not the one that was announced."""
        with self._translated():
            os.ftruncate(self._file, self.length)
            if self.length == self._size and self.sha256 == self._sha256:
                return self._store.keep(self._path, self._sha256, self._name)
        came = f"{self.length} bytes with the SHA-256 {self.sha256[:12]}…"
        self.discard()
        raise LabError(
            f"{self._name} did not arrive as it was announced: {came}, not {self._size} with "
            f"{self._sha256[:12]}…",
            evidence={"damaged": self._name, "expected": self._sha256, "actual": self.sha256},
        )

    def discard(self) -> None:
        """Remove it: it is not the beginning of what was asked for."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    def close(self) -> None:
        """Let go of it; what has come stays."""
        os.close(self._file)

    def _take_up(self) -> None:
        """Compute the checksum of what has come before."""
        if os.fstat(self._file).st_size > self._size:
            os.ftruncate(self._file, 0)
        while data := os.pread(self._file, _READ, self.length):
            self._digest.update(data)
            self.length += len(data)

    def _from(self, offset: int) -> None:
        """Go on where the sender says: where we are, or at the beginning."""
        if offset != self.length:
            self._digest, self.length = hashlib.sha256(), 0
            os.ftruncate(self._file, 0)

    def _skip(self, length: int) -> None:
        for piece in bulk.zeros(length):
            self._digest.update(piece)
        self.length += length
        os.ftruncate(self._file, self.length)

    def _translated(self) -> contextlib.AbstractContextManager[None]:
        return written(self._store.root, f"{self._name} ({Size(self._size)})")


def _opened(root: Path, sha256: str) -> tuple[Path, int]:
    """Open the part that an earlier try has left, or one of our own when somebody is busy with that."""
    path = root / f"{sha256}.part"
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    if locked(descriptor, fcntl.LOCK_EX) and path.exists() and path.samefile(f"/proc/self/fd/{descriptor}"):
        return path, descriptor
    os.close(descriptor)
    path = root / f"{sha256}.{secrets.token_hex(4)}.part"
    descriptor = os.open(path, flags | os.O_EXCL, 0o600)
    locked(descriptor, fcntl.LOCK_EX)
    return path, descriptor
