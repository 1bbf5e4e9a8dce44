"""Copy a file within a store."""

from __future__ import annotations

from runner.api import Context, Failed, FileStore, LabError, Module, Result, arg, device
from runner.modules.storage.stored_content import digest_of, present_file


class Copied(Result):
    """What came of it."""

    changed: bool
    """False when the other file had this content already."""
    sha256: str


class FileCopy(Module):
    """Copy a file within a store, and compare both.

    Where the service cannot copy, the content goes through the machine that uses it.

    Example::

        - file_copy: {src: images/nightly.img, dest: images/tested.img}
    """

    src: str = arg(help="its path in the store")
    dest: str = arg(help="the path of the copy")
    overwrite: bool = arg(default=True, help="false: fail when there is another file")
    store: FileStore = device(help="the store")

    def run(self, context: Context) -> Copied:
        """Copy it, unless the same is there."""
        present_file(self.store, self.src)
        sha256 = digest_of(self.store, self.src, "sha256", context)
        there = self.store.stat(self.dest)
        if there is not None and digest_of(self.store, self.dest, "sha256", context) == sha256:
            return Copied(changed=False, sha256=sha256)
        if there is not None and not self.overwrite:
            raise Failed(f"{self.dest!r} is in {self.store.label()} already, with another content")
        self.store.copy(self.src, self.dest)
        found = digest_of(self.store, self.dest, "sha256", context)
        if found != sha256:
            raise LabError(
                f"the copy {self.dest!r} in {self.store.label()} has the SHA-256 {found[:12]}…, "
                f"expected {sha256[:12]}…",
                evidence={"expected": sha256, "actual": found},
            )
        return Copied(changed=True, sha256=sha256)
