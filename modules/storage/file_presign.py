"""Make a request for a file of a store that works without credentials."""

from __future__ import annotations

from typing import Literal

from runner.api import Context, Duration, FileStore, Module, Presigned, arg, device


class FilePresign(Module):
    """Make a request for a file of a store that works without credentials until it expires.

    Example::

        - file_presign: images/nightly.img
          register: image
        - console_cmd: "curl -fsS -o /tmp/image '{{ image.url }}'"
    """

    reads_only = True

    path: str = arg(primary=True, help="its path in the store")
    op: Literal["read", "write", "stat"] = arg(default="read", help="what may be done with it")
    expires: Duration = arg(default=Duration("10m"), help="how long it works")
    store: FileStore = device(help="the store")

    def run(self, context: Context) -> Presigned:
        """Have it signed."""
        del context
        return self.store.presign(self.path, self.op, self.expires)
