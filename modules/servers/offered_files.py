"""The files that a server has for boards: named ones of the run, and those of a folder."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from runner.api import RecipeFault


class NotOffered(Exception):
    """There is no such file."""


class Forbidden(Exception):
    """There may be one, but nobody gets it."""


class OfferedFiles:
    """Maps names to files of this host; safe to use from many threads.

    Nothing is copied: every run and every bench has names of its own.
    """

    def __init__(self, root: str) -> None:
        """Serve what is below the folder `root`, too, unless it is empty."""
        self._root = Path(root).resolve() if root else None
        self._named: dict[str, str] = {}
        self._lock = threading.Lock()

    def add(self, files: Mapping[str, str]) -> None:
        """Offer files; raise RecipeFault for a name that leads out, or a file that is not there."""
        for name, path in files.items():
            if not plain(name):
                raise RecipeFault(
                    f"{name!r} is no name for a file on a server", hint="write boot/kernel, say"
                )
            if not Path(path).is_file():
                raise RecipeFault(f"no file {path!r} on the bench's host, to be served as {name!r}")
        with self._lock:
            self._named.update((plain(name), path) for name, path in files.items())

    def named(self) -> dict[str, str]:
        """Return what was added."""
        with self._lock:
            return dict(self._named)

    def find(self, name: str) -> Path:
        """Return the file of a name that a board asked for.

        Raise NotOffered when there is none, Forbidden for a name that leads out of the folder, also by
        a link, and for a file that cannot be read.
        """
        wanted = plain(name)
        if not wanted:
            raise Forbidden(f"{name!r} leads out of what is served")
        named = self.named().get(wanted)
        path = Path(named) if named is not None else self._below_root(wanted)
        if path is None or not path.is_file():
            raise NotOffered(f"no file {wanted!r} is served")
        return path

    def _below_root(self, wanted: str) -> Path | None:
        if self._root is None:
            return None
        path = (self._root / wanted).resolve()
        if self._root not in path.parents:
            raise Forbidden(f"{wanted!r} leads out of what is served")
        return path


def plain(name: str) -> str:
    r"""Return a name without what means nothing in it; empty for one that leads out, or nowhere.

    >>> plain("/boot//./kernel"), plain("boot\\kernel"), plain("../etc/passwd")
    ('boot/kernel', 'boot/kernel', '')
    """
    parts = [each for each in PurePosixPath(name.replace("\\", "/")).parts if each != "/"]
    if ".." in parts or "\0" in name or not name.isprintable():
        return ""
    return "/".join(parts)
