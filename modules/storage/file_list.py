"""List what is in a folder of a store."""

from __future__ import annotations

from fnmatch import fnmatchcase

from runner.api import Context, Entry, FileStore, Module, Result, arg, device
from runner.modules.storage.stored_content import present


class Listed(Result):
    """What is there."""

    entries: list[Entry]
    """Sorted by path."""
    paths: list[str]


class FileList(Module):
    """List what is in a folder of a store, or in all folders below it.

    Example::

        - file_list: {path: images, pattern: "*.img", recurse: true}
          expect: result.paths | length > 0
    """

    reads_only = True

    path: str = arg(default="", primary=True, help="the folder; empty: the root")
    recurse: bool = arg(default=False, help="what is in its folders, too")
    pattern: str = arg(default="*", help="which names, with * and ?")
    store: FileStore = device(help="the store")

    def run(self, context: Context) -> Listed:
        """List it."""
        if self.path.strip("/"):
            present(self.store, f"{self.path.rstrip('/')}/")
        found = []
        for entry in self.store.entries(self.path, recurse=self.recurse):
            context.check_cancelled()
            if fnmatchcase(entry.path.rstrip("/").rpartition("/")[2], self.pattern):
                found.append(entry)
        found.sort(key=lambda each: each.path)
        return Listed(entries=found, paths=[each.path for each in found])
