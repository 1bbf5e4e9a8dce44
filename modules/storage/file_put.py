"""Put a file into a store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from runner.api import (
    Context,
    Failed,
    FilePath,
    FileStore,
    LabError,
    Misfit,
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

    @classmethod
    def misfits(cls, given: Mapping[str, Any]) -> Iterable[Misfit]:
        """Say that there is nothing to put, or two things, and what is no mode."""
        if {"src", "content"} <= given.keys() and (given["src"] is None) == (given["content"] is None):
            yield Misfit("src", "it needs 'src' or 'content', and not both")
        mode = str(given.get("mode", ""))
        if mode.strip("01234567") or len(mode) > 4:
            yield Misfit("mode", f'{mode!r} is no mode: write octal digits, as in "644"')

    def run(self, context: Context) -> Put:
        """Compare, write, read back."""
        mode = int(self.mode, 8) if self.mode else None
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
