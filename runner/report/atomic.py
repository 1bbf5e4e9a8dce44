"""Files that are there as a whole, or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Write a file beside another and put it in its place: who reads it finds the old or the new one.

    A link stays a link. Raises OSError when it cannot be written; then the old one stays.
    """
    target = path.resolve() if path.is_symlink() else path
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def replaceable(path: Path) -> bool:
    """Tell whether a path is a file, or may become one: a pipe or a terminal is only written to."""
    return path.is_file() or not path.exists()
