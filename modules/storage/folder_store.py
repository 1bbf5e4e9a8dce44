"""A folder of the host as a store: plain Python, so that nothing has to be installed there."""

from __future__ import annotations

import mimetypes
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

from runner.api import Entry, FileStore, LabError, RecipeFault

_READ = 4 * 2**20


class FolderStore(FileStore):
    """The files below a folder; a path never leads out of it, also not by a link."""

    def __init__(self, root: str) -> None:
        """Take the folder, and make it when it is not there."""
        self._root = Path(root)
        with self._translated("make", root):
            self._root.mkdir(parents=True, exist_ok=True)
        self._root = self._root.resolve()

    def stat(self, path: str) -> Entry | None:
        """Say what there is."""
        found = self._entry(self._at(path))
        return None if found is not None and path.endswith("/") and not found.is_dir else found

    def read(self, path: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Give the content in pieces."""
        left = length
        with self._translated("read", path), self._at(path).open("rb") as file:
            file.seek(offset)
            while block := file.read(_READ if left is None else min(_READ, left)):
                left = None if left is None else left - len(block)
                yield block

    def write(self, path: str, pieces: Iterable[bytes]) -> None:
        """Make a file; it has its name only when it is whole, and on the disk."""
        target = self._at(path)
        with self._translated("write", path):
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.part")
            try:
                with part.open("xb") as file:
                    for piece in pieces:
                        file.write(piece)
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)

    def copy(self, source: str, target: str) -> None:
        """Copy a file."""
        self.write(target, self.read(source))

    def rename(self, source: str, target: str) -> None:
        """Rename a file or a folder."""
        with self._translated("rename", source):
            self._at(target).parent.mkdir(parents=True, exist_ok=True)
            self._at(source).replace(self._at(target))

    def remove(self, path: str, *, recurse: bool) -> None:
        """Remove it."""
        found = self._at(path)
        with self._translated("remove", path):
            if found.is_dir() and not found.is_symlink():
                shutil.rmtree(found) if recurse else found.rmdir()
            else:
                found.unlink(missing_ok=True)

    def make_folder(self, path: str) -> None:
        """Make a folder."""
        with self._translated("make", path):
            self._at(path).mkdir(parents=True, exist_ok=True)

    def entries(self, path: str, *, recurse: bool) -> Iterator[Entry]:
        """Give what is in a folder."""
        with self._translated("list", path):
            for found in sorted(self._at(path).iterdir()):
                entry = self._entry(found)
                if entry is not None:
                    yield entry
                    if recurse and entry.is_dir and not found.is_symlink():
                        yield from self.entries(entry.path, recurse=True)

    def set_mode(self, path: str, mode: int) -> None:
        """Set the permissions of a file."""
        with self._translated("change", path):
            self._at(path).chmod(mode)

    def info(self) -> Mapping[str, object]:
        """Say what it can do."""
        can = ("stat", "read", "write", "create_dir", "delete", "copy", "rename", "list", "blocking")
        cannot = ("presign", "presign_stat", "presign_read", "presign_write", "shared")
        return {
            "scheme": "fs",
            "root": str(self._root),
            **dict.fromkeys(can, True),
            **dict.fromkeys(cannot, False),
        }

    def label(self) -> str:
        """Return the folder."""
        return str(self._root)

    def _at(self, path: str) -> Path:
        found = (self._root / path).resolve()
        if found != self._root and self._root not in found.parents:
            raise RecipeFault(f"{path!r} leads out of the store {self._root}")
        return self._root / path

    def _entry(self, path: Path) -> Entry | None:
        try:
            found = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        is_dir = path.is_dir()
        name = str(path.relative_to(self._root))
        return Entry(
            path=f"{name}/" if is_dir else name,
            is_dir=is_dir,
            size=None if is_dir else found.st_size,
            etag=None if is_dir else f"{found.st_mtime_ns:x}-{found.st_size:x}",
            content_type=None if is_dir else mimetypes.guess_type(name)[0],
            modified=datetime.fromtimestamp(found.st_mtime, timezone.utc).isoformat(),
        )

    @contextmanager
    def _translated(self, doing: str, path: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LabError(f"cannot {doing} {path!r} in {self._root}: {error.strerror or error}") from error
