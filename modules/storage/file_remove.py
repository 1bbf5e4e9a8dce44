"""Remove a file or a folder from a store."""

from __future__ import annotations

from runner.api import Context, Failed, FileStore, Module, RecipeFault, Result, arg, device


class Removed(Result):
    """What came of it."""

    changed: bool
    """False when there was nothing."""


class FileRemove(Module):
    """Remove a file from a store, or a folder with all that is in it; nothing being there is fine.

    Example::

        - file_remove: images/nightly.img
        - file_remove: {path: logs, recurse: true}
    """

    path: str = arg(primary=True, help="its path in the store")
    recurse: bool = arg(default=False, help="a folder with all that is in it")
    store: FileStore = device(help="the store")

    def run(self, context: Context) -> Removed:
        """Remove it."""
        del context
        if not self.path.strip("/."):
            raise RecipeFault("the root of a store is not removed: name what is in it")
        there = self.store.stat(self.path)
        if there is None:
            return Removed(changed=False)
        if there.is_dir and not self.recurse and any(self.store.entries(self.path, recurse=False)):
            raise Failed(
                f"{self.path!r} in {self.store.label()} is a folder with files in it",
                hint="recurse: true removes them, too",
            )
        self.store.remove(self.path, recurse=there.is_dir)
        return Removed(changed=True)
