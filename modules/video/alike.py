"""How much two pictures differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Union

from runner.api import Misfit, RecipeFault
from runner.api.pillow import pillow
from runner.modules.video.hashes import (
    COLOR_BITS,
    PictureHash,
    average_hash,
    color_hash,
    difference_hash,
    perceptual_hash,
    wavelet_hash,
)
from runner.modules.video.picture import cropped, masked
from runner.modules.video.regions import Region, region_of, wrong_region
from runner.modules.video.segments import crop_resistant_hash, missing_share

if TYPE_CHECKING:
    from PIL.Image import Image

Method = Literal["average", "perceptual", "difference", "wavelet", "crop_resistant", "color", "pixels"]
Hashed = Union[PictureHash, Sequence[PictureHash]]
_HASHES = {
    "average": average_hash,
    "perceptual": perceptual_hash,
    "difference": difference_hash,
    "wavelet": wavelet_hash,
    "color": color_hash,
}

_COLOR_SHARES = 14
_USUAL = 8


@dataclass(frozen=True)
class Difference:
    """How much two pictures differ; the hashes are empty where pixels were compared."""

    distance: float
    hash: str = ""
    reference_hash: str = ""


@dataclass(frozen=True)
class Comparison:
    """A way to compare pictures."""

    method: Method
    hash_size: int
    region: Region | None = None
    mask: tuple[Region, ...] = ()
    shade: int = 16

    @property
    def unit(self) -> str:
        """What distances are counted in, for messages."""
        if self.method == "pixels":
            return "% of the pixels"
        if self.method == "crop_resistant":
            return "% of the reference's parts"
        return f"of {_COLOR_SHARES * COLOR_BITS if self.method == 'color' else self.hash_size**2} bits"

    def prepared(self, image: Image) -> Image:
        """Return what is compared of a picture: masked, and the region of it."""
        return cropped(masked(image, self.mask), self.region, "region")

    def reference(self, image: Image) -> Image:
        """Return what is compared of a reference, which may have been cut out of a picture already."""
        if self.region is None or image.size != (self.region.width, self.region.height):
            return self.prepared(image)
        x, y = self.region.x, self.region.y
        return masked(image, [each._replace(x=each.x - x, y=each.y - y) for each in self.mask])

    def difference(self, image: Image, reference: Image) -> Difference:
        """Compare two pictures that are prepared; RecipeFault when their sizes do not allow that."""
        if self.method == "pixels":
            return Difference(self._pixels(image, reference))
        mine, its = (hashed(each, self.method, self.hash_size) for each in (image, reference))
        if isinstance(mine, PictureHash) and isinstance(its, PictureHash):
            return Difference(mine - its, str(mine), str(its))
        return Difference(missing_share(_several(its), _several(mine)), text_of(mine), text_of(its))

    def _pixels(self, image: Image, reference: Image) -> float:
        if image.size != reference.size:
            raise RecipeFault(
                f"the picture has {image.width}x{image.height} pixels, the reference "
                f"{reference.width}x{reference.height}: pixels can only be compared in equal numbers",
                hint="give it a 'region', make the reference anew, or use another method",
            )
        return 100 * differing(image, reference, self.shade) / (image.width * image.height)


def comparison_of(
    method: Method, hash_size: int, region: Sequence[int], mask: Iterable[Sequence[int]], shade: int
) -> Comparison:
    """Make one of the arguments of a module."""
    return Comparison(method, hash_size, region_of(region), tuple(Region(*each) for each in mask), shade)


def misfits_of(given: Mapping[str, Any]) -> Iterable[Misfit]:
    """Say which of the arguments for comparing do not fit."""
    if wrong := wrong_region(given.get("region") or ()):
        yield Misfit("region", wrong, "write [x, y, width, height]")
    for number, each in enumerate(given.get("mask") or ()):
        if wrong := wrong_region(each) or ("" if each else "[] is no part of a picture"):
            yield Misfit(f"mask.{number}", wrong, "write [x, y, width, height]")
    size = given.get("hash_size", 8)
    if given.get("method") == "color" and size != _USUAL:
        yield Misfit("hash_size", "a hash of colours has no rows", "leave it out")
    if given.get("method") == "wavelet" and size & (size - 1):
        yield Misfit("hash_size", f"a wavelet hash cannot have {size} rows", "write a power of two: 8, 16")


def hashed(image: Image, method: Method, size: int) -> Hashed:
    """Return the hash of a picture, or those of its parts."""
    if method == "crop_resistant":
        return crop_resistant_hash(image, size)
    return _HASHES[method](image, size)


def text_of(found: Hashed) -> str:
    """Write a hash, or several with commas between them, as ImageHash does."""
    return ",".join(map(str, _several(found)))


def differing(image: Image, reference: Image, shade: int) -> int:
    """Count the pixels of which a colour differs by more than `shade`, of 255."""
    chops = pillow("ImageChops")
    red, green, blue = chops.difference(image, reference).split()
    counts: list[int] = chops.lighter(chops.lighter(red, green), blue).histogram()
    return sum(counts[shade + 1 :])


def _several(found: Hashed) -> Sequence[PictureHash]:
    return [found] if isinstance(found, PictureHash) else found
