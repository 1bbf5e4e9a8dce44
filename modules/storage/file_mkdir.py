"""Make a folder in a store."""

from __future__ import annotations

from runner.api import Context, Failed, FileStore, Module, Result, arg, device


class Made(Result):
    """What came of it."""

    changed: bool
    """False when it was there already."""


class FileMkdir(Module):
    """Make a folder in a store, with those above it; one that is there is fine.

    Example::

        - file_mkdir: logs/today
    """

    path: str = arg(primary=True, help="its path in the store")
    cleanup: bool = arg(default=False, help="remove it at the end of the run, with all that is in it")
    store: FileStore = device(help="the store")

    def run(self, context: Context) -> Made:
        """Make it."""
        del context
        path = self.path.rstrip("/")
        if self.store.stat(f"{path}/") is not None:
            return Made(changed=False)
        if self.store.stat(path) is not None:
            raise Failed(f"{self.path!r} in {self.store.label()} is a file")
        if self.cleanup:
            self.store.forget(self.path)
        self.store.make_folder(self.path)
        return Made(changed=True)
