"""A store through OpenDAL (Apache OpenDAL, Python binding 0.45 and newer)."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from runner.api import (
    Duration,
    Entry,
    FileStore,
    LabError,
    Presigned,
    RecipeFault,
    Unreachable,
    Unsupported,
)

_READ = 4 * 2**20
_UNREACHABLE = (
    "error sending request",
    "connection refused",
    "dns error",
    "timed out",
    "connect error",
    "connection reset",
)
"""What OpenDAL says, inside "Unexpected", when nobody answers."""
_FLAGS = (
    *("stat", "read", "write", "create_dir", "delete", "copy", "rename", "list", "list_with_recursive"),
    *("presign", "presign_stat", "presign_read", "presign_write", "shared", "write_can_multi"),
    "write_can_empty",
)


class OpendalStore(FileStore):
    """A service of OpenDAL."""

    def __init__(self, scheme: str, options: Mapping[str, str]) -> None:
        """Connect; raise RecipeFault for a scheme or options that OpenDAL does not take."""
        try:
            import opendal
        except ImportError as error:
            raise Unsupported(
                f"the store {scheme!r} needs the Python package 'opendal' on the bench's host",
                hint="pip install opendal there (it is compiled, and cannot travel); 'fs' needs nothing",
            ) from error
        self._scheme = scheme
        self._options = dict(options)
        self._library: Any = opendal
        named = [getattr(opendal.exceptions, name) for name in dir(opendal.exceptions)]
        self._errors: Any = tuple(each for each in named if isinstance(each, type))
        try:
            self._operator: Any = opendal.Operator(scheme, **options)
        except (*self._errors, ValueError, TypeError) as error:
            raise RecipeFault(
                f"no store {scheme!r} can be made with these options: {_said(error)}"
            ) from error

    def stat(self, path: str) -> Entry | None:
        """Say what there is: a file, or else a folder of that name."""
        with self._translated("look at", path):
            found = self._stat(path)
            if path.endswith("/") or (found is not None and found.size):
                return found
            return self._stat(f"{path}/") or found  # some have an empty object in a folder's place

    def read(self, path: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Give the content in pieces."""
        partly = self._scheme == "ftp" and length is not None
        # OpenDAL takes an FTP connection again whose data were not all read, and fails then
        operator = self._library.Operator(self._scheme, **self._options) if partly else self._operator
        with self._translated("read", path), operator.open(path, "rb") as file:
            if offset:
                file.seek(offset)
            left = length
            while (left is None or left > 0) and (
                block := bytes(file.read(_READ if left is None else min(_READ, left)))
            ):
                left = None if left is None else left - len(block)
                yield block

    def write(self, path: str, pieces: Iterable[bytes]) -> None:
        """Write it: in pieces where the service can, else at once."""
        with self._translated("write", path):
            capability, source = self._operator.capability(), iter(pieces)
            first = next(source, b"")
            if not first and not capability.write_can_empty:
                raise Unsupported(f"{self.label()} keeps no empty files: {path!r}")
            if not first or not capability.write_can_multi:
                self._operator.write(path, b"".join((first, *source)))
                return
            file = self._operator.open(path, "wb", chunk=_READ * 2)
            for piece in itertools.chain((first,), source):
                file.write(piece)
            file.close()  # only when it is whole: an upload that is not closed is none

    def copy(self, source: str, target: str) -> None:
        """Have the service copy it, or carry it through here when it cannot."""
        with self._translated("copy", source):
            if self._operator.capability().copy:
                self._operator.copy(source, target)
                return
        self.write(target, self.read(source))

    def rename(self, source: str, target: str) -> None:
        """Have the service rename it, or copy it and remove the first."""
        with self._translated("rename", source):
            if self._operator.capability().rename:
                self._operator.rename(source, target)
                return
        self.copy(source, target)
        self.remove(source, recurse=False)

    def remove(self, path: str, *, recurse: bool) -> None:
        """Remove it."""
        with self._translated("remove", path):
            if recurse:
                self._operator.remove_all(path)
            else:
                self._operator.delete(path)

    def make_folder(self, path: str) -> None:
        """Make a folder."""
        with self._translated("make", path):
            self._operator.create_dir(f"{path.rstrip('/')}/")

    def entries(self, path: str, *, recurse: bool) -> Iterator[Entry]:
        """Give what is in a folder."""
        folder = f"{path.strip('/')}/" if path.strip("/") else ""
        with self._translated("list", path):
            for found in self._operator.list(folder or "/", recursive=recurse):
                if found.path.strip("/") != folder.strip("/"):
                    entry = self._stat(found.path)
                    if entry is not None:
                        yield entry

    def presign(self, path: str, operation: Literal["read", "write", "stat"], expires: Duration) -> Presigned:
        """Have the service sign a request; only OpenDAL's other operator can, which wants a loop."""
        with self._translated(f"presign to {operation}", path):
            if not getattr(self._operator.capability(), f"presign_{operation}"):
                raise Unsupported(f"{self.label()} cannot presign to {operation}")
            operator = self._operator.to_async_operator()

            async def signed() -> Any:
                return await getattr(operator, f"presign_{operation}")(path, int(expires))

            found = asyncio.run(signed())
            return Presigned(url=found.url, method=found.method, headers=dict(found.headers))

    def info(self) -> Mapping[str, object]:
        """Say what it can do."""
        capability = self._operator.capability()
        return {"scheme": self._scheme, **{name: bool(getattr(capability, name, False)) for name in _FLAGS}}

    def label(self) -> str:
        """Return its scheme; its options may hold secrets."""
        return f"the store {self._scheme!r}"

    def _stat(self, path: str) -> Entry | None:
        try:
            found = self._operator.stat(path)
        except (self._library.exceptions.NotFound, self._library.exceptions.NotADirectory):
            return None
        is_dir = path.endswith("/") or getattr(found, "is_dir", False) is True
        modified = getattr(found, "last_modified", None)
        return Entry(
            path=path,
            is_dir=is_dir,
            size=None if is_dir else found.content_length,
            etag=found.etag,
            content_type=found.content_type,
            content_md5=found.content_md5,
            content_disposition=found.content_disposition,
            modified=modified.isoformat() if modified else None,
        )

    @contextmanager
    def _translated(self, doing: str, path: str) -> Iterator[None]:
        """Turn OpenDAL's errors, which name endpoints and not secrets, into errors of the lab."""
        try:
            yield
        except self._library.exceptions.Unsupported as error:
            raise Unsupported(f"{self.label()} cannot {doing} {path!r}: {_said(error)}") from error
        except self._errors as error:
            said = _said(error)
            kind = Unreachable if any(each in str(error).lower() for each in _UNREACHABLE) else LabError
            raise kind(f"cannot {doing} {path!r} in {self.label()}: {said}") from error


def _said(error: Exception) -> str:
    """Return what OpenDAL says, and what that came from, without the context and the backtrace."""
    lines = [each.strip() for each in str(error).splitlines()]
    said = lines[0].rpartition("=> ")[2] if lines else type(error).__name__
    cause = lines[lines.index("Source:") + 1] if "Source:" in lines[:-1] else ""
    return f"{said}: {cause}" if cause else said
