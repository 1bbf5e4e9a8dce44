"""The files of a simulated board."""

from __future__ import annotations

from collections.abc import Callable, Mapping

_ALWAYS = ("/dev/null", "/root/", "/tmp/")  # noqa: S108 - of the simulated board, not of this machine
"""What every Linux has, whatever else is on the board."""


class FileTree:
    """Text by path; some of it made when it is read, some of it acting when it is written."""

    def __init__(
        self,
        made: Mapping[str, Callable[[], str]],
        acting: Mapping[str, Callable[[str], str]],
    ) -> None:
        """Take what is made on reading, and what is done on writing (it returns why not, or nothing)."""
        self._made = made
        self._acting = acting
        self._kept: dict[str, str] = {}

    def read(self, path: str) -> str | None:
        """Return the content; None when there is no such file."""
        if path in self._made:
            return self._made[path]()
        return "" if path == "/dev/null" else self._kept.get(path)

    def write(self, path: str, content: str) -> str:
        """Replace the content; return why not, or an empty text."""
        if path in self._acting:
            return self._acting[path](content)
        if path == "/dev/null":
            return ""
        if path in self._made or not path.startswith("/"):
            return "permission denied"
        self._kept[path] = content
        return ""

    def remove(self, path: str) -> bool:
        """Delete a file; False when there is none."""
        return self._kept.pop(path, None) is not None

    def names(self, folder: str) -> list[str]:
        """Return what is in a folder, sorted."""
        prefix = folder.rstrip("/") + "/"
        paths = {*self._made, *self._acting, *self._kept, *_ALWAYS}
        return sorted({path[len(prefix) :].split("/")[0] for path in paths if path.startswith(prefix)} - {""})
