"""Parts of a picture, as recipes write them: x, y, width, height in pixels, from the upper left corner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Region(NamedTuple):
    """A part of a picture."""

    x: int
    y: int
    width: int
    height: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Its left, upper, right and lower edge."""
        return self.x, self.y, self.x + self.width, self.y + self.height

    def __str__(self) -> str:
        """Write it as recipes do."""
        return f"[{self.x}, {self.y}, {self.width}, {self.height}]"


def wrong_region(numbers: Sequence[int]) -> str:
    """Say why this is no part of a picture; empty when it is one, or nothing.

    >>> wrong_region([0, 0, 100])
    '[0, 0, 100] has 3 numbers, expected 4'
    """
    if not numbers:
        return ""
    if len(numbers) != 4:
        return f"{list(numbers)} has {len(numbers)} numbers, expected 4"
    x, y, width, height = numbers
    if x < 0 or y < 0 or width < 1 or height < 1:
        return f"{list(numbers)} is no part of a picture"
    return ""


def region_of(numbers: Sequence[int]) -> Region | None:
    """Return a part of a picture; None for nothing."""
    return Region(*numbers) if numbers else None
