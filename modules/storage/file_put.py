"""Put a file into a store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from runner.api import (
    Context,
    Failed,
    FilePath,
    FileStore,
    LabError,
    Module,
    RecipeFault,
    Result,
    Size,
    arg,
    device,
)
from runner.modules.storage.stored_content import Summed, compare, digest_of

_READ = 4 * 2**20


class Put(Result):
    """What is in the store now."""

    path: str
    size: Size
    sha256: str
    changed: bool
    """False when it was there already."""


class FilePut(Module):
    """Put a file, or a text, into a store, and read it back; what is there already is not sent again.

    Example::

        - file_put: {src: build/nightly.img, dest: images/nightly.img}
        - file_put: {content: "ready", dest: state/flag, verify: false, cleanup: true}
    """

    src: FilePath | None = arg(default=None, primary=True, help="the file, or its URL")
    content: str | None = arg(default=None, help="or a text")
    dest: str = arg(help="its path in the store")
    checksum: str = arg(default="", help="the SHA-256 that the file must have")
    mode: str = arg(default="", help="its permissions in a folder, in octal digits")
    skip_if_same: bool = arg(default=True, help="compare what is there first")
    verify: bool = arg(default=True, help="read it back and compare")
    cleanup: bool = arg(default=False, help="remove it at the end of the run")
    store: FileStore = device(help="the store")

    def run(self, context: Context) -> Put:
        """Compare, write, read back."""
        if (self.src is None) == (self.content is None):
            raise RecipeFault("file_put needs 'src' or 'content', and not both")
        mode = _mode(self.mode)
        size, sha256 = self._source(context)
        compare(str(self.src or "the content"), sha256, self.checksum)
        changed = not (self.skip_if_same and self._is_there(size, sha256, context))
        if self.cleanup and changed:
            self.store.forget(self.dest)
        if changed:
            self._write(size, sha256, context)
        if mode is not None:
            self.store.set_mode(self.dest, mode)
        return Put(path=self.dest, size=Size(size), sha256=sha256, changed=changed)

    def _pieces(self) -> Iterator[bytes]:
        if self.content is not None:
            yield self.content.encode()
            return
        with Path(self.src or "").open("rb") as file:
            while block := file.read(_READ):
                yield block

    def _source(self, context: Context) -> tuple[int, str]:
        digest, size = hashlib.sha256(), 0
        try:
            for piece in self._pieces():
                context.check_cancelled()
                digest.update(piece)
                size += len(piece)
        except OSError as error:
            raise RecipeFault(f"cannot read {str(self.src)!r}: {error.strerror}") from error
        return size, digest.hexdigest()

    def _is_there(self, size: int, sha256: str, context: Context) -> bool:
        there = self.store.stat(self.dest)
        if there is not None and there.is_dir:
            raise Failed(f"{self.dest!r} in {self.store.label()} is a folder")
        return (
            there is not None
            and there.size == size
            and digest_of(self.store, self.dest, "sha256", context) == sha256
        )

    def _write(self, size: int, sha256: str, context: Context) -> None:
        sent = Summed(self._pieces(), context, size)
        self.store.write(self.dest, sent)
        if sent.sha256 != sha256:
            raise RecipeFault(f"{str(self.src)!r} has changed while it was sent")
        found = digest_of(self.store, self.dest, "sha256", context) if self.verify else sha256
        if found != sha256:
            raise LabError(
                f"{self.store.label()} does not keep what is written: {self.dest!r} has the SHA-256 "
                f"{found[:12]}…, expected {sha256[:12]}…",
                evidence={"expected": sha256, "actual": found},
            )


def _mode(text: str) -> int | None:
    if text.strip("01234567") or len(text) > 4:
        raise RecipeFault(f'{text!r} is no mode: write octal digits, as in "644"')
    return int(text, 8) if text else None
