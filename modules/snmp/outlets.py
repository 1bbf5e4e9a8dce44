"""Which outlets of a unit feed a board: a number, several, a range."""

from __future__ import annotations

import re
from collections.abc import Sequence

_PART = re.compile(r"\s*(\d{1,6})\s*(?:-\s*(\d{1,6})\s*)?", re.ASCII)
_MOST = 64


def outlet_numbers(written: int | str | Sequence[int]) -> tuple[int, ...]:
    """Return the numbers of outlets, each once, in the order as written; raise ValueError for none.

    >>> outlet_numbers(3), outlet_numbers([4, 3]), outlet_numbers("1,3-5")
    ((3,), (4, 3), (1, 3, 4, 5))
    """
    if isinstance(written, int):
        numbers: tuple[int, ...] = (written,)
    elif isinstance(written, str):
        numbers = tuple(number for part in written.split(",") for number in _range(part, written))
    else:
        numbers = tuple(written)
    if not numbers or min(numbers) < 0 or len(numbers) > _MOST:
        raise ValueError(f"{written!r} names no outlet, or more than {_MOST}: write 3, [3, 4] or 3-4")
    return tuple(dict.fromkeys(numbers))


def _range(part: str, written: str) -> range:
    match = _PART.fullmatch(part)
    if match is None:
        raise ValueError(f"{written!r} is no number of an outlet: write 3, [3, 4] or 3-4")
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first or last - first >= _MOST:
        raise ValueError(f"{part.strip()!r} does not count up, or counts more than {_MOST} outlets")
    return range(first, last + 1)


def spoken(outlets: Sequence[int]) -> str:
    """Name outlets in a sentence.

    >>> spoken((3,)), spoken((3, 4, 7))
    ('outlet 3', 'outlets 3, 4 and 7')
    """
    *first, last = map(str, outlets)
    return f"outlets {', '.join(first)} and {last}" if first else f"outlet {last}"
