"""Files on the host by their content: in a cache that stays, or in a folder that goes with the agent.

A file lies in ``FOLDER/SHA256/NAME``, one that is still coming in ``FOLDER/SHA256.part``. Whoever
uses one holds a lock (flock(2)) on the folder or the part, so that several agents can share a cache.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import shutil
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

from runner.api.values import Size
from runner.api.verdicts import LabError

TAG = "CACHEDIR.TAG"
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# files that runner keeps for its next run\n"
_OURS = re.compile(r"[0-9a-f]{64}(\.[0-9a-f]{8})?(\.part|\.new|\.old)?")
_READ = 2**20
Stamp = tuple[int, int, int, int]


class Store:
    """A folder of files; those that were found or made are locked until `close`."""

    def __init__(self, root: Path, limit: int | None = None) -> None:
        """Use a folder that is there; `limit`: how many bytes may stay in it."""
        self.root = root
        self.limit = limit
        self._turns = OneAtATime()
        self._pins: dict[str, int] = {}
        self._verified: dict[str, Stamp] = {}

    def find(self, sha256: str, name: str) -> Path | None:
        """Return the file with this content under this name; one that is damaged is removed.

        All of it is read when it is first asked for, and when it has changed since.
        """
        with self._turns.of(sha256):
            folder = self.root / sha256
            if not self._pin(sha256, folder):
                return None
            if not self._sound(folder, sha256):
                self._drop(sha256)
                return None
            os.utime(folder)
            return _named(folder, name)

    def keep(self, part: Path, sha256: str, name: str) -> Path:
        """Take over a file whose content was checked; return where it is now."""
        new = self.root / f"{sha256}.{secrets.token_hex(4)}.new"
        new.mkdir(mode=0o700)
        part.chmod(0o444)
        part.rename(new / name)
        self._verified[sha256] = _stamp(new / name)
        with contextlib.suppress(OSError):  # somebody else has just put the same content there
            new.rename(self.root / sha256)
        if new.exists():
            shutil.rmtree(new, ignore_errors=True)
        found = self.find(sha256, name)
        if found is None:
            raise LabError(f"{self.root / sha256} was taken away as soon as it was there")
        return found

    def make_room(self, size: int) -> None:
        """Remove what was not used for longest until `size` fits; raise LabError when it never can."""
        if self.limit is None:
            return
        if size > self.limit:
            raise LabError(
                f"a file of {Size(size)} is larger than the cache on the host, {Size(self.limit)}",
                hint="say more with 'cache_size' of the host",
            )
        entries = sorted(self._entries())
        used = sum(held for _, held, _ in entries)
        for _, held, path in entries:
            if used + size <= self.limit:
                return
            used -= held if _removed(path) else 0

    def close(self) -> None:
        """Let go of every file."""
        for sha256 in tuple(self._pins):
            os.close(self._pins.pop(sha256))

    def _entries(self) -> list[tuple[int, int, Path]]:
        """Return when each file was last used, what it takes on the disk, and where it is."""
        found: list[tuple[int, int, Path]] = []
        for path in self.root.iterdir():
            if _OURS.fullmatch(path.name):
                with contextlib.suppress(FileNotFoundError):  # another agent was faster
                    inside = {each.stat().st_ino: each.stat() for each in (path, *path.glob("*"))}
                    held = sum(each.st_blocks * 512 for each in inside.values())
                    found.append((path.stat().st_mtime_ns, held, path))
        return found

    def _sound(self, folder: Path, sha256: str) -> bool:
        """Tell whether a file has its content; read it unless nothing has touched it since last time."""
        file = next(folder.iterdir(), None)
        if file is None or not stat.S_ISREG(file.lstat().st_mode):
            return False
        stamp = _stamp(file)
        if self._verified.get(sha256) == stamp:
            return True
        if digest_of(file) != sha256:
            return False
        self._verified[sha256] = stamp
        return True

    def _pin(self, sha256: str, folder: Path) -> bool:
        """Hold the lock on a file's folder; tell whether it is there."""
        held = self._pins.get(sha256)
        if held is not None and _is(held, folder):
            return True
        if held is not None:
            os.close(self._pins.pop(sha256))
        pin = _pinned(folder)
        if pin is not None:
            self._pins[sha256] = pin
        return pin is not None

    def _drop(self, sha256: str) -> None:
        """Remove a file that is not what its name says."""
        os.close(self._pins.pop(sha256))
        self._verified.pop(sha256, None)
        _take_away(self.root / sha256)


class OneAtATime:
    """For each key, one at a time."""

    def __init__(self) -> None:
        """Have nobody busy."""
        self._changed = threading.Condition()
        self._busy: set[str] = set()

    @contextlib.contextmanager
    def of(self, key: str) -> Iterator[None]:
        """Wait until nobody else is busy with this key, and be."""
        with self._changed:
            self._changed.wait_for(lambda: key not in self._busy)
            self._busy.add(key)
        try:
            yield
        finally:
            with self._changed:
                self._busy.discard(key)
                self._changed.notify_all()


def cache_at(folder: str) -> Path:
    """Return the folder of the cache, made when it is not there; raise LabError when it cannot be trusted."""
    path = Path(folder).expanduser()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.stat()
        if not (path / TAG).exists():
            (path / TAG).write_text(_TAG, encoding="utf-8")
    except OSError as error:
        raise LabError(
            f"the cache {str(path)!r} on the host cannot be used: {error.strerror}",
            hint="'cache' of the host names a folder in which its user may write",
        ) from error
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise LabError(
            f"the cache {str(path)!r} on the host belongs to others, or others may write in it",
            hint=f"chmod go-w {path}, or let 'cache' of the host name a folder of its user's own",
        )
    return path


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while data := file.read(_READ):
            digest.update(data)
    return digest.hexdigest()


def locked(descriptor: int, how: int) -> bool:
    """Lock an open file or folder without waiting; tell whether that could be done."""
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pinned(folder: Path) -> int | None:
    """Open a folder and share the lock on it; None when it is not there, or about to be removed."""
    try:
        pin = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if locked(pin, fcntl.LOCK_SH) and _is(pin, folder):
        return pin
    os.close(pin)
    return None


def _is(descriptor: int, path: Path) -> bool:
    """Tell whether a path still leads to what was opened."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _named(folder: Path, name: str) -> Path:
    """Return the file in a folder under this name, as another link if need be."""
    path = folder / name
    if not path.exists():
        with contextlib.suppress(FileExistsError):
            os.link(next(folder.iterdir()), path)
    return path


def _stamp(file: Path) -> Stamp:
    found = file.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_dev


def _removed(path: Path) -> bool:
    """Remove a file that nobody uses; tell whether that could be done."""
    try:
        held = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        if not locked(held, fcntl.LOCK_EX):
            return False
        _take_away(path)
    finally:
        os.close(held)
    return True


def _take_away(path: Path) -> None:
    """Remove a file at once for everybody, then what it holds."""
    old = path.with_name(f"{path.name[:64]}.{secrets.token_hex(4)}.old")
    with contextlib.suppress(FileNotFoundError):  # another agent was faster
        path.rename(old)
        if old.is_dir():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.unlink()
