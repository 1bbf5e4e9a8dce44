"""Give a file of a store another path."""

from __future__ import annotations

from runner.api import Context, Failed, FileStore, Module, Result, arg, device


class Renamed(Result):
    """What came of it."""

    changed: bool
    """False when it had that path already."""


class FileRename(Module):
    """Give a file of a store another path; when only the new path is there, that was done before.

    Example::

        - file_rename: {src: images/new.img, dest: images/nightly.img}
    """

    src: str = arg(help="its path in the store")
    dest: str = arg(help="its new path")
    overwrite: bool = arg(default=True, help="false: fail when there is a file already")
    store: FileStore = device(help="the store")

    def run(self, context: Context) -> Renamed:
        """Rename it."""
        del context
        source, target = self.store.stat(self.src), self.store.stat(self.dest)
        if source is None and target is not None:
            return Renamed(changed=False)
        if source is None:
            raise Failed(f"neither {self.src!r} nor {self.dest!r} is in {self.store.label()}")
        if target is not None and not self.overwrite:
            raise Failed(f"{self.dest!r} is in {self.store.label()} already")
        self.store.rename(self.src, self.dest)
        return Renamed(changed=True)
