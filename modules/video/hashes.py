"""Hashes of pictures: alike pictures have hashes that differ in few bits.

The algorithms, and the hexadecimal form, are those of the library ImageHash 4.3, so that hashes can be
compared with its own. They are written here on Pillow alone: ImageHash needs numpy, scipy and
PyWavelets, 270 MB of compiled code, for tables of 32 by 32 numbers, and none of it could travel to a host.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Literal, NamedTuple

from runner.api.pillow import pillow

if TYPE_CHECKING:
    from PIL.Image import Image

HashMethod = Literal["average", "perceptual", "difference", "wavelet", "crop_resistant"]
_FINER = 4
"""How many times finer the picture is that the perceptual hash looks at."""


class PictureHash(NamedTuple):
    """The bits of a hash, a row after the other."""

    bits: tuple[bool, ...]

    def __sub__(self, other: PictureHash) -> int:
        """Return in how many bits they differ; both have as many."""
        return sum(mine != its for mine, its in zip(self.bits, other.bits, strict=True))

    def __str__(self) -> str:
        """Write it in hexadecimal digits, as ImageHash does."""
        number = int("".join("01"[bit] for bit in self.bits), 2)
        return f"{number:0{math.ceil(len(self.bits) / 4)}x}"


def average_hash(image: Image, size: int) -> PictureHash:
    """Compare each part with the mean of all: fast, and sure where screens differ in what is bright."""
    shades = _shades(image, size, size)
    mean = sum(shades) / len(shades)
    return PictureHash(tuple(shade > mean for shade in shades))


def difference_hash(image: Image, size: int) -> PictureHash:
    """Compare each part with the one on its left; dark screens with little on them are all alike to it."""
    shades = _shades(image, size + 1, size)
    rows = [shades[row * (size + 1) : (row + 1) * (size + 1)] for row in range(size)]
    return PictureHash(tuple(row[at + 1] > row[at] for row in rows for at in range(size)))


def perceptual_hash(image: Image, size: int) -> PictureHash:
    """Compare the lowest frequencies of the picture (a discrete cosine transform) with their median."""
    fine = size * _FINER
    shades = _shades(image, fine, fine)
    waves = [
        [math.cos(math.pi * (2 * at + 1) * frequency / (2 * fine)) for at in range(fine)]
        for frequency in range(size)
    ]
    rows = [
        [sum(map(float.__mul__, wave, map(float, shades[row * fine : (row + 1) * fine]))) for wave in waves]
        for row in range(fine)
    ]
    columns = [[row[frequency] for row in rows] for frequency in range(size)]
    found = [sum(map(float.__mul__, wave, columns[frequency])) for wave in waves for frequency in range(size)]
    return _above(found)


def wavelet_hash(image: Image, size: int) -> PictureHash:
    """Compare the means of equal parts (Haar's wavelet) with their median; `size` is a power of two."""
    natural = 1 << (min(image.size).bit_length() - 1)
    scale = max(natural, size)
    shades = _shades(image, scale, scale)
    part = scale // size
    sums = [0] * (size * size)
    for row in range(scale):
        line = shades[row * scale : (row + 1) * scale]
        for column in range(size):
            sums[row // part * size + column] += sum(line[column * part : (column + 1) * part])
    return _above(sums)


def _above(values: Sequence[float]) -> PictureHash:
    middle = median(values)
    return PictureHash(tuple(value > middle for value in values))


def _shades(image: Image, width: int, height: int) -> bytes:
    """Return the brightness of a picture of this size, row after row."""
    lanczos = pillow("Image").Resampling.LANCZOS
    return image.convert("L").resize((width, height), lanczos).tobytes()
