"""Say what is at a path of a store."""

from __future__ import annotations

from typing import Literal

from runner.api import Context, Entry, FileStore, Module, Result, arg, device
from runner.modules.storage.stored_content import digest_of


class Stat(Result):
    """What is there; null where the store does not say."""

    exists: bool
    is_dir: bool
    size: int | None
    etag: str | None
    content_type: str | None
    content_md5: str | None
    content_disposition: str | None
    modified: str | None
    hash: str | None
    """Of a file, by the algorithm that was asked for."""


class FileStat(Module):
    """Say whether there is a file or a folder in a store, and what is known of it.

    Nothing being there is no failure.

    Example::

        - file_stat: {path: images/nightly.img, checksum_algorithm: sha256}
          expect: result.exists and result.size > 1000
    """

    reads_only = True

    path: str = arg(primary=True, help="its path in the store")
    checksum_algorithm: Literal["none", "sha256", "md5"] = arg(
        default="none", help="the checksum to compute, by reading the file"
    )
    store: FileStore = device(help="the store")

    def run(self, context: Context) -> Stat:
        """Look."""
        there = self.store.stat(self.path)
        digest = None
        if there is not None and not there.is_dir and self.checksum_algorithm != "none":
            digest = digest_of(self.store, self.path, self.checksum_algorithm, context)
        known = there or Entry(path=self.path, is_dir=False)
        return Stat(
            exists=there is not None,
            is_dir=known.is_dir,
            size=known.size,
            etag=known.etag,
            content_type=known.content_type,
            content_md5=known.content_md5,
            content_disposition=known.content_disposition,
            modified=known.modified,
            hash=digest,
        )
