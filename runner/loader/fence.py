"""What a file of a stranger may have read for it: files of its own folder, and no environment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from runner.api.values import is_url


@dataclass(frozen=True, slots=True)
class Fence:
    """The folders inside of it, and single files that the user has named."""

    folders: tuple[Path, ...]
    files: frozenset[str] = frozenset()

    def holds(self, path: str | Path) -> bool:
        """Tell whether a path leads to a place inside, wherever links on the way lead. A URL does not.

        >>> Fence((Path("/a"),)).holds("/a/b/../../etc/passwd")
        False
        """
        if is_url(str(path)):
            return str(path) in self.files
        real = Path(path).expanduser().resolve()
        return str(real) in self.files or any(real.is_relative_to(each) for each in self.folders)


def fence_of(recipes: Iterable[str], files: Iterable[str] = ()) -> Fence:
    """Return the fence around recipes: their folders, and what the user gave them by name."""
    folders = tuple(dict.fromkeys(Path(each).resolve().parent for each in recipes))
    named = (each if is_url(each) else str(Path(each).expanduser().resolve()) for each in files)
    return Fence(folders, frozenset(named))
