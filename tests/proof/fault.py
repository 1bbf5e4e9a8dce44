"""What a planted fault is: a rule switched off in the source, and the tests that must notice."""

from __future__ import annotations

from dataclasses import dataclass

ROWS = (*(f"A{number:02}" for number in range(1, 18)), "A23", "A25", "A31")
"""The rows of the console's acceptance table; it has no others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A rule of a row, switched off.

    `old` stands exactly once in the file `path`, and `new` is put there. `red`: tests (as pytest
    calls them, without parameters) that must fail then, and pass otherwise.
    """

    row: str
    rule: str
    path: str
    old: str
    new: str
    red: tuple[str, ...]

    def planted(self, text: str) -> str:
        """Return the text of the file with the fault in it; raise ValueError when its place is not found."""
        if text.count(self.old) != 1:
            raise ValueError(f"{self.path} has {text.count(self.old)} times, not once: {self.old!r}")
        return text.replace(self.old, self.new)
