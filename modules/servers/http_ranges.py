"""Parts of a file by HTTP (RFC 9110, 13 and 14): functions of headers."""

from __future__ import annotations

import re
from typing import NamedTuple

_ONE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


class Part(NamedTuple):
    """Which bytes of a file: from `start`, before `end`."""

    start: int
    end: int


def part_of(header: str, size: int) -> Part | None:
    """Return the one range that is asked for, or None when the whole file is to be sent.

    A header that makes no sense and several ranges at once are passed over, as RFC 9110, 14.2
    allows. Raise ValueError for a range that the file does not have (416).

    >>> part_of("bytes=10-", 100), part_of("bytes=-5", 100), part_of("bytes=0-0,5-6", 100)
    (Part(start=10, end=100), Part(start=95, end=100), None)
    """
    found = _ONE.fullmatch(header.strip())
    if found is None or found[0] == "bytes=-":
        return None
    first, last = found.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < start:
            return None
    if start >= size:
        raise ValueError(f"{header} of {size} bytes")
    return Part(start, end)


def matches(header: str, tag: str) -> bool:
    """Tell whether an entity tag is one of a list, compared weakly (RFC 9110, 8.8.3.2).

    >>> matches('W/"1-2", "3-4"', '"3-4"'), matches("*", '"x"'), matches('"a"', '"b"')
    (True, True, False)
    """
    tags = {each.strip().removeprefix("W/") for each in header.split(",")}
    return "*" in tags or tag in tags
