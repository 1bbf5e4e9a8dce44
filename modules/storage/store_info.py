"""Say what a store can do."""

from __future__ import annotations

from runner.api import Context, FileStore, Module, Result, device


class StoreCapability(Result):
    """What it is, and what it can do."""

    scheme: str
    can: dict[str, bool]


class StoreInfo(Module):
    """Say what a store can do: read, write, list, copy, rename, presign and more.

    Example::

        - store_info:
          expect: result.can.presign_read
    """

    reads_only = True

    store: FileStore = device(help="the store")

    def run(self, context: Context) -> StoreCapability:
        """Ask it."""
        del context
        info = self.store.info()
        can = {name: value for name, value in info.items() if isinstance(value, bool)}
        return StoreCapability(scheme=str(info["scheme"]), can=can)
