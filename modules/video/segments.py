"""A hash that survives cropping: one for each bright and each dark part of a picture.

After "Efficient Cropping-Resistant Robust Image Hashing" (DOI 10.1109/ARES.2014.85), with the figures of the
library ImageHash 4.3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from runner.api.pillow import pillow
from runner.modules.video.hashes import PictureHash, difference_hash

if TYPE_CHECKING:
    from PIL.Image import Image

_SIDE = 300
_BRIGHT = 128
_SMALLEST = 500
"""Pixels of a part, of the 300 by 300 that are looked at; smaller ones are left out."""
_WRONG_BITS = 0.25
"""The share of bits in which the hashes of the same part may differ."""


def crop_resistant_hash(image: Image, size: int) -> tuple[PictureHash, ...]:
    """Return a hash for each part, bright ones first; for a picture without parts one for all of it."""
    filters = pillow("ImageFilter")
    small = image.convert("L").resize((_SIDE, _SIDE), pillow("Image").Resampling.LANCZOS)
    shades = small.filter(filters.GaussianBlur()).filter(filters.MedianFilter()).tobytes()
    bright = bytes(shade > _BRIGHT for shade in shades)
    boxes = [*parts(bright, _SIDE, 1), *parts(bright, _SIDE, 0)] or [(0, 0, _SIDE, _SIDE)]
    across, down = image.width / _SIDE, image.height / _SIDE
    return tuple(
        difference_hash(
            image.crop(
                (round(left * across), round(upper * down), round(right * across), round(lower * down))
            ),
            size,
        )
        for left, upper, right, lower in boxes
    )


def missing_share(wanted: Sequence[PictureHash], found: Sequence[PictureHash]) -> float:
    """Return how many of the parts that are wanted are not among those that were found, in per cent."""
    limit = len(wanted[0].bits) * _WRONG_BITS
    absent = sum(all(each - other > limit for other in found) for each in wanted)
    return 100 * absent / len(wanted)


def parts(pixels: bytes, side: int, wanted: int) -> Iterator[tuple[int, int, int, int]]:
    """Return the edges (left, upper, right, lower) of connected parts of this value that are large enough."""
    left = bytearray(pixel == wanted for pixel in pixels)
    at = left.find(1)
    while at >= 0:
        count, box = _taken(left, side, at)
        if count > _SMALLEST:
            yield box
        at = left.find(1, at)


def _taken(left: bytearray, side: int, start: int) -> tuple[int, tuple[int, int, int, int]]:
    """Take away everything that is connected with a pixel; return how much it was, and its edges."""
    left[start] = 0
    waiting, count = [start], 0
    low_x = high_x = start % side
    high_y = start // side
    while waiting:
        at = waiting.pop()
        count += 1
        x, y = at % side, at // side
        low_x, high_x, high_y = min(low_x, x), max(high_x, x), max(high_y, y)
        beside = (at - 1 if x else -1, at + 1 if x + 1 < side else -1, at - side, at + side)
        for each in beside:
            if 0 <= each < len(left) and left[each]:
                left[each] = 0
                waiting.append(each)
    return count, (low_x, start // side, high_x + 1, high_y + 1)
