"""Names written as ranges: ``rpi4-[01:04]``, ``rack[a:c]``."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass

MOST_NAMES = 10_000
"""How many names one range may stand for: more is a mistake."""

_RANGE = re.compile(r"\[(\w+):(\w+)(?::([0-9]+))?\]")


@dataclass(frozen=True, slots=True)
class Name:
    """A name out of a range; `index` is the number of its last range, the place in it for letters, else 1."""

    text: str
    index: int = 1


def is_range(text: str) -> bool:
    """Tell whether the text holds a range (``[a-c]`` of a glob is none)."""
    return _RANGE.search(text) is not None


def expand(text: str) -> tuple[Name, ...]:
    """Return every name that the text stands for; raise ValueError, with one sentence, when it is no range.

    >>> [name.text for name in expand("rpi4-[01:03]")]
    ['rpi4-01', 'rpi4-02', 'rpi4-03']
    >>> [(name.text, name.index) for name in expand("x[a:b]-[1:5:4]")]
    [('xa-1', 1), ('xa-5', 5), ('xb-1', 1), ('xb-5', 5)]
    """
    pieces = _RANGE.split(text)
    if "[" in "".join(pieces[::4]) or "]" in "".join(pieces[::4]):
        raise ValueError(f"{text!r} is not a range of names: write [01:04] or [a:c]")
    spans = [_span(*pieces[start : start + 3]) for start in range(1, len(pieces), 4)]
    names = 1
    for span in spans:
        names *= len(span)
    if names > MOST_NAMES:
        raise ValueError(f"{text!r} stands for {names} names: at most {MOST_NAMES} are possible")
    return tuple(_name(pieces[::4], choice) for choice in itertools.product(*spans))


def _name(between: list[str], choice: tuple[tuple[str, int], ...]) -> Name:
    parts = [between[0]]
    for (part, _index), literal in zip(choice, between[1:], strict=True):
        parts += (part, literal)
    return Name("".join(parts), choice[-1][1] if choice else 1)


def _span(first: str, last: str, step: str | None) -> list[tuple[str, int]]:
    by = int(step or 1)
    written = f"[{first}:{last}{':' + step if step else ''}]"
    if by < 1:
        raise ValueError(f"the range {written} has a step of 0")
    if first.isascii() and last.isascii() and first.isdecimal() and last.isdecimal():
        return _numbers(first, last, by, written)
    if len(first) == len(last) == 1 and first.isalpha() and last.isalpha() and first <= last:
        letters = range(ord(first), ord(last) + 1, by)
        return [(chr(letter), place) for place, letter in enumerate(letters, 1)]
    raise ValueError(f"the range {written} does not count upward from a number or letter to another")


def _numbers(first: str, last: str, by: int, written: str) -> list[tuple[str, int]]:
    start, end = int(first), int(last)
    if end < start:
        raise ValueError(f"the range {written} counts downward")
    if end - start > MOST_NAMES * by:
        raise ValueError(f"the range {written} stands for more than {MOST_NAMES} names")
    return [(str(number).zfill(len(first)), number) for number in range(start, end + 1, by)]
