"""Get a file from a store."""

from __future__ import annotations

import tempfile
from pathlib import Path

from runner.api import Context, FileStore, Keep, Module, RecipeFault, Result, Size, TargetPath, arg, device
from runner.modules.storage.stored_content import Summed, compare, present_file

_SMALL = 64 * 1024


class Got(Result):
    """What came."""

    path: str
    """Where it was written; empty when it was not kept."""
    size: Size
    sha256: str
    content: str
    """Its text, when it is small and was not written to a file."""


class FileGet(Module):
    """Get a file, or a part of one, from a store.

    Example::

        - file_get: {src: logs/boot.txt}
          expect: "'panic' not in result.content"
        - file_get: {src: images/nightly.img, dest: out/head.bin, offset: 1MiB, length: 4KiB}
    """

    reads_only = True

    src: str = arg(primary=True, help="its path in the store")
    dest: TargetPath | None = arg(default=None, help="where it is written on the machine that runs runner")
    offset: Size = arg(default=Size(0), help="where to begin")
    length: Size | None = arg(default=None, help="how much; all of it when left out")
    checksum: str = arg(default="", help="the SHA-256 that it must have")
    store: FileStore = device(help="the store")

    def run(self, context: Context) -> Got:
        """Read it to its end."""
        there = present_file(self.store, self.src)
        if there.size is not None and self.offset > there.size:
            raise RecipeFault(f"{self.src!r} has {there.size} bytes: nothing is at {int(self.offset)}")
        with tempfile.NamedTemporaryFile() as file:
            came = Summed(self.store.read(self.src, self.offset, self.length), context, there.size)
            for piece in came:
                file.write(piece)
            file.flush()
            compare(self.src, came.sha256, self.checksum)
            content = ""
            if self.dest is not None:
                context.artifact(Path(self.dest).name, Path(file.name), Keep(to=self.dest))
            elif came.size <= _SMALL:
                content = Path(file.name).read_bytes().decode("utf-8", "replace")
        return Got(path=str(self.dest or ""), size=Size(came.size), sha256=came.sha256, content=content)
