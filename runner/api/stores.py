"""Stores of files: a folder, a bucket, a server. What drivers of them offer, and modules ask for."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from runner.api.interfaces import Interface
from runner.api.module import Result
from runner.api.values import Duration
from runner.api.verdicts import Unsupported


class Entry(Result):
    """A file or a folder in a store; None where the store does not say."""

    path: str
    """From the store's root on; that of a folder ends with /."""
    is_dir: bool
    size: int | None = None
    """In bytes."""
    etag: str | None = None
    content_type: str | None = None
    content_md5: str | None = None
    content_disposition: str | None = None
    modified: str | None = None
    """When it was changed (ISO 8601, UTC)."""


class Presigned(Result):
    """A request that anybody may make for a while."""

    url: str
    method: str
    headers: dict[str, str]


class FileStore(Interface):
    """A store of files, by their paths from its root on.

    Every method raises LabError when the store refuses, Unreachable when it does not answer,
    Unsupported for what it cannot do.
    """

    @abc.abstractmethod
    def stat(self, path: str) -> Entry | None:
        """Say what there is; None for nothing. A path that ends with / is a folder's."""

    @abc.abstractmethod
    def read(self, path: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Give the content in pieces, from `offset` on; no more than `length` bytes."""

    @abc.abstractmethod
    def write(self, path: str, pieces: Iterable[bytes]) -> None:
        """Make a file of pieces, or replace it; folders above it are made."""

    @abc.abstractmethod
    def copy(self, source: str, target: str) -> None:
        """Make a file that is the same; replace what is there."""

    @abc.abstractmethod
    def rename(self, source: str, target: str) -> None:
        """Give a file another path; replace what is there."""

    @abc.abstractmethod
    def remove(self, path: str, *, recurse: bool) -> None:
        """Remove a file, or a folder with all that is in it; what is not there is fine."""

    @abc.abstractmethod
    def make_folder(self, path: str) -> None:
        """Make a folder, with those above it; one that is there is fine."""

    @abc.abstractmethod
    def entries(self, path: str, *, recurse: bool) -> Iterator[Entry]:
        """Give what is in a folder, or below it; without the folder itself."""

    @abc.abstractmethod
    def info(self) -> Mapping[str, object]:
        """Say what kind of store it is, and what it can do."""

    def presign(self, path: str, operation: Literal["read", "write", "stat"], expires: Duration) -> Presigned:
        """Make a request that works without credentials until it expires."""
        raise Unsupported(f"this store cannot presign: {operation} {path}, for {expires}")

    def set_mode(self, path: str, mode: int) -> None:
        """Set the permissions of a file."""
        raise Unsupported(f"this store knows no permissions: {mode:o} for {path}")

    def label(self) -> str:
        """Return what to call it in messages."""
        return ""

    def forget(self, path: str) -> None:
        """Remove this at the end of the run."""
        raise Unsupported(f"this store keeps what it has: {path}")
