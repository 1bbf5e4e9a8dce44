"""Where in a file a word of an expression stands."""

from __future__ import annotations

import re
from pathlib import Path

from runner.errors import Location


class Places:
    """Finds the exact place of words in texts that YAML may have folded, quoted or indented.

    Files are read again only when a fault has to be shown.
    """

    def __init__(self) -> None:
        """Know no file yet."""
        self._lines: dict[str, list[str]] = {}

    def of(self, word: str, offset: int, text: str, at: Location) -> Location:
        """Return the place of `word`, which stands at `offset` of a `text` that begins at `at`."""
        if at.length == len(text) and "\n" not in text:
            return Location(at.path, at.line, at.column + offset, len(word))
        pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
        earlier = sum(1 for _ in pattern.finditer(text, 0, offset))
        for number, column in self._found(pattern, at):
            if earlier == 0:
                return Location(at.path, number, column, len(word))
            earlier -= 1
        return at

    def _found(self, pattern: re.Pattern[str], at: Location) -> list[tuple[int, int]]:
        lines = self._read(at.path)
        found: list[tuple[int, int]] = []
        for index in range(at.line - 1, min(len(lines), at.line + 400)):
            start = at.column - 1 if index == at.line - 1 else 0
            found += [(index + 1, match.start() + 1) for match in pattern.finditer(lines[index], start)]
        return found

    def _read(self, path: str) -> list[str]:
        if path not in self._lines:
            try:
                self._lines[path] = Path(path).read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError):
                self._lines[path] = []
        return self._lines[path]
