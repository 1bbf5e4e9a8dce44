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

HashMethod = Literal["average", "perceptual", "difference", "wavelet", "crop_resistant", "color"]
COLOR_BITS = 3
"""Bits for the share of each kind of colour."""
_HUES = 6
_DARK, _GREY, _FAINT = 32, 85, 170
"""Below these a pixel's brightness is black, its saturation grey, or faint."""
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


def color_hash(image: Image, _size: int) -> PictureHash:
    """Count what is black, grey, and of six hues faint or bright; where it stands does not matter."""
    hue, saturation, _ = image.convert("HSV").split()
    dark = image.convert("L").point(lambda shade: 255 * (shade < _DARK))
    kinds = [
        saturation.point(lambda shade, low=low, high=high: 255 * (low <= shade < high))
        for low, high in ((0, _GREY), (_GREY, _FAINT), (_FAINT + 1, 256))
    ]
    grey, faint, bright = ([*_without(hue, kind, dark)] for kind in kinds)
    pixels = image.width * image.height
    coloured = max(1, pixels - dark.histogram()[255] - sum(grey))
    shares = [dark.histogram()[255] / pixels, sum(grey) / pixels]
    shares += [count / coloured for count in (*_hues(faint), *_hues(bright))]
    steps = [min(2**COLOR_BITS - 1, int(share * 2**COLOR_BITS)) for share in shares]
    return PictureHash(tuple(bool(step >> bit & 1) for step in steps for bit in reversed(range(COLOR_BITS))))


def _without(hue: Image, kind: Image, dark: Image) -> Sequence[int]:
    """Count the hues of pixels of a kind that are not dark."""
    return hue.histogram(pillow("ImageChops").subtract(kind, dark))


def _hues(counts: Sequence[int]) -> list[int]:
    """Add the counts of 256 hues up to those of six."""
    return [
        sum(counts[math.ceil(at * 42.5) : math.ceil((at + 1) * 42.5) + (at == _HUES - 1)])
        for at in range(_HUES)
    ]


def _above(values: Sequence[float]) -> PictureHash:
    middle = median(values)
    return PictureHash(tuple(value > middle for value in values))


def _shades(image: Image, width: int, height: int) -> bytes:
    """Return the brightness of a picture of this size, row after row."""
    lanczos = pillow("Image").Resampling.LANCZOS
    return image.convert("L").resize((width, height), lanczos).tobytes()
