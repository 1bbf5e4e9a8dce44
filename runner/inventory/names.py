"""Names with ranges: ``rpi4-[01:04]``, ``board-[a:c]``."""

from __future__ import annotations

import re

_RANGE = re.compile(r"\[([^\[\]]*)\]")
_NUMBERS = re.compile(r"(\d+):(\d+)(?::(\d+))?")
_LETTERS = re.compile(r"([a-z]):([a-z])|([A-Z]):([A-Z])")


def expand(name: str) -> list[tuple[str, int]]:
    """Return every name that a range stands for, with its number in the (last) range; 1 without one.

    Raises ValueError for a range that cannot be read.

    >>> expand("rpi4-[02:03]")
    [('rpi4-02', 2), ('rpi4-03', 3)]
    >>> expand("sim")
    [('sim', 1)]
    """
    match = _RANGE.search(name)
    if match is None:
        return [(name, 1)]
    made: list[tuple[str, int]] = []
    for text, number in _members(match[1], name):
        for rest, inner in expand(name[match.end() :]):
            made.append(
                (f"{name[: match.start()]}{text}{rest}", inner if "[" in name[match.end() :] else number)
            )
    return made


def _members(text: str, name: str) -> list[tuple[str, int]]:
    numbers = _NUMBERS.fullmatch(text)
    if numbers is not None:
        first, last, step = int(numbers[1]), int(numbers[2]), int(numbers[3] or 1)
        if first <= last and step > 0:
            return [(str(number).zfill(len(numbers[1])), number) for number in range(first, last + 1, step)]
    letters = _LETTERS.fullmatch(text)
    if letters is not None:
        first, last = (ord(each) for each in (letters[1] or letters[3], letters[2] or letters[4]))
        if first <= last:
            return [(chr(code), code - first + 1) for code in range(first, last + 1)]
    raise ValueError(f"[{text}] in {name!r} is not a range: write [01:04] or [a:c]")
