"""Addresses and words, as people write them."""

from __future__ import annotations

from collections.abc import Sequence

from runner.api import RecipeFault


def number(written: int | str, what: str) -> int:
    """Read a number, also as text with 0x; raise RecipeFault for a negative one, and for what is none.

    >>> number("0x20000000", "address"), number(16, "address")
    (536870912, 16)
    """
    try:
        found = written if isinstance(written, int) else int(written, 0)
    except ValueError as error:
        raise RecipeFault(f"{what}: {written!r} is no number: write 0x20000000, say") from error
    if found < 0 or isinstance(written, bool):
        raise RecipeFault(f"{what}: {written!r} is no address or word")
    return found


def numbers(written: Sequence[int | str], width: int, what: str) -> tuple[int, ...]:
    """Read words; raise RecipeFault for one that does not fit."""
    found = tuple(number(each, what) for each in written)
    for each in found:
        if each >= 1 << width:
            raise RecipeFault(f"{what}: 0x{each:x} does not fit into {width} bits")
    return found
