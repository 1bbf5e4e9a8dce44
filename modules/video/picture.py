"""Pictures in memory, by Pillow."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runner.api import LabError, RecipeFault
from runner.api.pillow import pillow
from runner.modules.video.regions import Region

if TYPE_CHECKING:
    from PIL.Image import Image


@contextmanager
def opened(
    data: bytes, what: str, blame: type[LabError | RecipeFault], limit: int = 1 << 26
) -> Iterator[Image]:
    """Decode a picture, up to `limit` pixels; raise what `blame` says, naming `what`, when it is none."""
    images = pillow("Image")
    try:
        image: Image = images.open(io.BytesIO(data))
        if image.width * image.height > limit:
            raise blame(f"{what} has {image.width}x{image.height} pixels, more than can be compared")
        image.load()
        yield _plain(image)
    except (OSError, SyntaxError, ValueError, struct.error, images.DecompressionBombError) as error:
        raise blame(f"{what} is no picture: {error}") from error


def file(path: str, what: str) -> bytes:
    """Read a file that the recipe names."""
    try:
        with open(path, "rb") as opened_file:  # noqa: PTH123 - a plain read
            return opened_file.read()
    except OSError as error:
        raise RecipeFault(f"cannot read {what} {path!r}: {error.strerror}") from error


def cropped(image: Image, region: Region | None, argument: str) -> Image:
    """Return a part of a picture; raise RecipeFault when it is not within."""
    if region is None:
        return image
    right, lower = region.box[2:]
    if right > image.width or lower > image.height:
        raise RecipeFault(
            f"{argument} {region} is not within the picture, which has {image.width}x{image.height}",
            evidence={"width": image.width, "height": image.height},
        )
    return image.crop(region.box)


def masked(image: Image, regions: Iterable[Region]) -> Image:
    """Return a picture with these parts blackened, as far as they are within."""
    covered = image.copy()
    for region in regions:
        covered.paste((0, 0, 0), region.box)
    return covered


def encoded(image: Image, form: str) -> bytes:
    """Return a picture as a file."""
    written = io.BytesIO()
    image.save(written, form, **({"quality": 95} if form == "JPEG" else {}))
    return written.getvalue()


def _plain(image: Image) -> Image:
    """Return it in three colours: a palette and transparency compare badly."""
    return image if image.mode == "RGB" else image.convert("RGB")
