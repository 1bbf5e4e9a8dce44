"""What a disk refuses, said so that somebody can do something about it."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from runner.api.values import Size
from runner.api.verdicts import LabError

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextlib.contextmanager
def written(path: Path, name: str) -> Iterator[None]:
    """Write a file at or below `path`; raise LabError when the disk refuses."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise no_room(path, name, error.strerror or "") from error
        raise LabError(f"cannot write {name} in {path} on the host: {error.strerror}") from error


def no_room(path: Path, name: str, why: str) -> LabError:
    """Say on which file system there is no room, and how much is free."""
    found = os.statvfs(path)
    free, total = (Size(blocks * found.f_frsize) for blocks in (found.f_bavail, found.f_blocks))
    where = mount_of(path)
    return LabError(
        f"no room for {name} on the host: {why}; the file system at {where} has {free} free of {total}",
        evidence={"file_system": where, "free": int(free), "total": int(total)},
        hint="remove something there, or have 'cache' of the host (without it TMPDIR there) name a folder "
        "on a larger one",
    )


def mount_of(path: Path) -> str:
    """Return where the file system is mounted that a path is on."""
    path = path.resolve()
    return str(next((each for each in (path, *path.parents) if each.is_mount()), path))
