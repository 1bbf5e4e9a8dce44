"""Errors that name a place in a file, and that are told all at once.

    InputError          who wrote the recipe, inventory or command line: exit 2
    └── Faults          several of them, from one pass

Errors of the lab and of the board are verdicts (`runner.api.verdicts`).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a text file: line and column count from 1, `length` in characters of that line."""

    path: str
    line: int
    column: int
    length: int = 1

    def __str__(self) -> str:
        """Write it as editors understand it."""
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with the input.

    `code` is stable (``E231``) and explained by ``runner doc E231``; `hint` says what
    to do; `chain` holds the places that led there (imports, action calls).
    """

    code: str
    message: str
    at: Location | None = None
    hint: str = ""
    chain: tuple[tuple[str, Location], ...] = ()


class InputError(Exception):
    """What a person wrote cannot be used; nothing has been touched."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Hold every fault that was found, in the order of the text."""
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.at}: {fault.message}" for fault in self.faults))


class Faults:
    """Collects faults during one pass over the input.

    >>> found = Faults()
    >>> found.add("E101", "no module 'comand'", hint="did you mean 'command'?")
    >>> len(found)
    1
    """

    def __init__(self) -> None:
        """Start with none."""
        self._faults: list[Fault] = []

    def add(
        self,
        code: str,
        message: str,
        *,
        at: Location | None = None,
        hint: str = "",
        chain: tuple[tuple[str, Location], ...] = (),
    ) -> None:
        """Note a fault and go on."""
        fault = Fault(code=code, message=message, at=at, hint=hint, chain=chain)
        if fault not in self._faults:
            self._faults.append(fault)

    def extend(self, error: InputError) -> None:
        """Take over the faults of an error that was raised below."""
        self._faults.extend(fault for fault in error.faults if fault not in self._faults)

    def take(self, other: Faults) -> None:
        """Take over what another pass found."""
        self._faults.extend(fault for fault in other._faults if fault not in self._faults)

    def __iter__(self) -> Iterator[Fault]:
        """Go through them in the order in which they were found."""
        return iter(self._faults)

    def __len__(self) -> int:
        """Return how many there are so far."""
        return len(self._faults)

    def raise_if_any(self) -> None:
        """Raise them all as one InputError, sorted by file and line."""
        if self._faults:
            raise InputError(sorted(self._faults, key=_place))


def _place(fault: Fault) -> tuple[str, int, int]:
    return (fault.at.path, fault.at.line, fault.at.column) if fault.at else ("", 0, 0)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``did you mean 'nearest'?`` or an empty text when nothing is near.

    >>> did_you_mean("tiemout", ["timeout", "prompt"])
    "did you mean 'timeout'?"
    """
    near = difflib.get_close_matches(str(word), sorted(map(str, known)), n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else ""
