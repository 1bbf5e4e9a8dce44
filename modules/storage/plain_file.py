"""An image as a plain file, for tools that cannot unpack."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.api import Context, LabError, Size
from runner.modules.storage.ahead import Ahead, Digest
from runner.modules.storage.image_source import ImageSource


@contextmanager
def plain_file(source: ImageSource, context: Context) -> Iterator[tuple[Path, int, str]]:
    """Give path, size and checksum of an image that is not packed: the file itself, or one for a while.

    Raise LabError when the host's disk has no room for it.
    """
    if source.compression == "none":
        yield source.path, source.file_size, _written(source, context, None)[1]
        return
    with tempfile.TemporaryDirectory(prefix="runner-image-") as folder:
        path = Path(folder, source.path.stem)
        with path.open("xb", buffering=0) as file:
            size, sha256 = _written(source, context, file.fileno())
        yield path, size, sha256


def _written(source: ImageSource, context: Context, file: int | None) -> tuple[int, str]:
    """Write the content of an image into a file, if there is one; return its size and checksum."""
    done, ahead = 0, Ahead(source.pieces(), context)
    try:
        with Digest() as digest:
            for _, piece in ahead:
                digest.add(piece)
                if file is not None:
                    _write(file, piece, source.path.name)
                done += len(piece)
    finally:
        ahead.close()
    return done, digest.hexdigest


def _write(file: int, data: bytes, name: str) -> None:
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(file, view) :]
    except OSError as error:
        found = os.fstatvfs(file)
        free = Size(found.f_bavail * found.f_frsize)
        raise LabError(
            f"no room on the host to unpack {name}: {error.strerror}; {free} are free",
            hint="TMPDIR of the host names the folder",
        ) from error
