"""A picture for people: what was expected, what is there, and where they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runner.api.pillow import pillow
from runner.modules.video.picture import encoded

if TYPE_CHECKING:
    from PIL.Image import Image

_WIDEST = 640
_GAP = 8
_TITLE = 20


def side_by_side(reference: Image, actual: Image) -> bytes:
    """Return a PNG file with the reference, the actual picture and their difference."""
    images, draws = pillow("Image"), pillow("ImageDraw")
    size = _shown_size(reference)
    shown = [each.resize(size) for each in (reference, actual)]
    shown.append(_difference(*shown))
    sheet: Image = images.new("RGB", (3 * size[0] + 2 * _GAP, size[1] + _TITLE), (255, 255, 255))
    pen = draws.Draw(sheet)
    for number, (title, each) in enumerate(zip(("reference", "actual", "difference"), shown, strict=True)):
        left = number * (size[0] + _GAP)
        pen.text((left + 2, 4), title, fill=(0, 0, 0))
        sheet.paste(each, (left, _TITLE))
    return encoded(sheet, "PNG")


def _difference(reference: Image, actual: Image) -> Image:
    """Return where they differ, as bright as can be."""
    plain = pillow("ImageChops").difference(reference, actual)
    stretched: Image = pillow("ImageOps").autocontrast(plain) if plain.getbbox() else plain
    return stretched


def _shown_size(image: Image) -> tuple[int, int]:
    factor = min(1.0, _WIDEST / image.width)
    return max(1, round(image.width * factor)), max(1, round(image.height * factor))
