"""What the verbs of stores share: checksums of what is there, and what to say when it is not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Literal

from runner.api import Context, Entry, Failed, FileStore

Algorithm = Literal["sha256", "md5"]


class Summed:
    """Pieces on their way, counted and summed."""

    def __init__(self, pieces: Iterable[bytes], context: Context, total: int | None = None) -> None:
        """Take them; `total` is for the progress."""
        self._pieces = pieces
        self._context = context
        self._total = total
        self._digest = hashlib.sha256()
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        """Give them."""
        for piece in self._pieces:
            self._context.check_cancelled()
            self._digest.update(piece)
            self.size += len(piece)
            self._context.progress(self.size, self._total)
            yield piece

    @property
    def sha256(self) -> str:
        """Return the checksum of what was given so far."""
        return self._digest.hexdigest()


def present(store: FileStore, path: str) -> Entry:
    """Return what is there; raise Failed when nothing is."""
    found = store.stat(path)
    if found is None:
        raise Failed(f"no {path!r} in {store.label()}", evidence={"path": path})
    return found


def present_file(store: FileStore, path: str) -> Entry:
    """Return the file that is there; raise Failed when there is none."""
    found = present(store, path)
    if found.is_dir:
        raise Failed(f"{path!r} in {store.label()} is a folder", evidence={"path": path})
    return found


def digest_of(store: FileStore, path: str, algorithm: Algorithm, context: Context) -> str:
    """Return the checksum of a file: by reading it."""
    digest = hashlib.sha256() if algorithm == "sha256" else hashlib.md5(usedforsecurity=False)
    for piece in store.read(path):
        context.check_cancelled()
        digest.update(piece)
    return digest.hexdigest()


def compare(what: str, sha256: str, expected: str) -> None:
    """Raise Failed when a checksum is not the expected one; an empty one, or a line of sha256sum, is fine."""
    wanted = (expected.split() or [""])[0].lower()
    if wanted and sha256 != wanted:
        raise Failed(
            f"{what} has the SHA-256 {sha256[:12]}…, expected {wanted[:12]}…",
            evidence={"expected": wanted, "actual": sha256},
        )
