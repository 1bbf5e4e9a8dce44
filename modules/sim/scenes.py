"""What there is to see at a simulated board: its screen, and itself on the bench."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from runner.api.pillow import pillow
from runner.modules.sim.hardware import Stage

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

SIZE = (640, 480)
"""Of every picture, in pixels."""
_QUALITY = 90
_BLACK, _WHITE, _GREY = (0, 0, 0), (235, 235, 235), (110, 110, 110)
_RED, _GREEN, _UNLIT = (255, 40, 30), (60, 255, 80), (40, 45, 40)


def screen(stage: Stage | None) -> bytes:
    """Return what a frame grabber on the board's HDMI gives, as JPEG."""
    return _drawn(_BLACK, _SCREENS.get(stage, _no_signal))


def bench(stage: Stage | None, brightness: int = 0) -> bytes:
    """Return what a camera above the board gives, as JPEG; `brightness` is added to each colour."""
    return _drawn((70, 62, 54), lambda pen: _board(pen, stage), brightness)


def has_signal(stage: Stage | None) -> bool:
    """Tell whether the board sends a picture to its screen."""
    return stage in _SCREENS


def _drawn(ground: tuple[int, int, int], draw: Callable[[ImageDraw], None], brightness: int = 0) -> bytes:
    image = pillow("Image").new("RGB", SIZE, ground)
    draw(pillow("ImageDraw").Draw(image))
    return _encoded(image, brightness)


def _encoded(image: Image, brightness: int) -> bytes:
    kept = io.BytesIO()
    lit = image.point(lambda value: max(0, min(255, value + brightness))) if brightness else image
    lit.save(kept, "JPEG", quality=_QUALITY)
    return kept.getvalue()


def _no_signal(pen: ImageDraw) -> None:
    """Colour bars, as many grabbers show when nothing comes in."""
    colours = [(180, 180, 180), (180, 180, 0), (0, 180, 180), (0, 180, 0), (180, 0, 180), (180, 0, 0)]
    width = SIZE[0] // len(colours) + 1
    for number, colour in enumerate(colours):
        pen.rectangle((number * width, 0, (number + 1) * width, SIZE[1]), fill=colour)


def _firmware(pen: ImageDraw) -> None:
    """Draw the square of all colours that the firmware shows first."""
    for row in range(12):
        for column in range(12):
            colour = (20 * column, 20 * row, 255 - 20 * max(row, column))
            left, top = 200 + column * 20, 120 + row * 20
            pen.rectangle((left, top, left + 19, top + 19), fill=colour)


def _kernel(pen: ImageDraw) -> None:
    """Draw a berry for each core, and the lines of the log under them."""
    for core in range(4):
        left = 16 + core * 72
        pen.ellipse((left, 28, left + 56, 88), fill=(190, 20, 60))
        pen.polygon([(left + 8, 30), (left + 28, 10), (left + 48, 30)], fill=(60, 160, 50))
    _lines(pen, 108, 14)


def _lines(pen: ImageDraw, top: int, count: int) -> None:
    for number in range(count):
        width = 180 + (number * 97) % 380
        pen.rectangle((16, top + number * 24, 16 + width, top + 8 + number * 24), fill=_WHITE)


def _desktop(pen: ImageDraw) -> None:
    """Draw a sky, hills, the bar with its menu, and two icons."""
    for row in range(SIZE[1]):
        pen.line((0, row, SIZE[0], row), fill=(60 + row // 4, 110 + row // 5, 190))
    pen.ellipse((-120, 300, 380, 700), fill=(40, 90, 60))
    pen.ellipse((260, 340, 820, 740), fill=(30, 70, 50))
    pen.rectangle((0, 0, SIZE[0], 36), fill=(225, 225, 230))
    pen.ellipse((8, 6, 32, 30), fill=(190, 20, 60))
    for number in range(3):
        pen.rectangle((48 + number * 40, 8, 76 + number * 40, 28), fill=(90, 110, 160))
    for top in (70, 170):
        pen.rectangle((30, top, 86, top + 56), fill=_WHITE, outline=_GREY, width=3)


def _crashed(pen: ImageDraw) -> None:
    _lines(pen, 20, 18)


_SCREENS: Mapping[Stage | None, Callable[[ImageDraw], None]] = {
    "firmware": _firmware,
    "kernel": _kernel,
    "system": _desktop,
    "crashed": _crashed,
}


def _board(pen: ImageDraw, stage: Stage | None) -> None:
    """Draw the board from above: sockets at the right, header at the top, two lamps at the left."""
    pen.rounded_rectangle((80, 90, 560, 400), radius=24, fill=(20, 105, 55))
    for left, top in ((96, 106), (520, 106), (96, 360), (520, 360)):
        pen.ellipse((left, top, left + 24, top + 24), fill=(200, 180, 90))
    pen.rectangle((140, 100, 460, 128), fill=(30, 30, 30))
    for number in range(20):
        pen.rectangle((146 + number * 16, 106, 152 + number * 16, 122), fill=(210, 190, 90))
    for top in (150, 230, 310):
        pen.rectangle((490, top, 600, top + 66), fill=(170, 175, 180))
    pen.rectangle((230, 190, 330, 290), fill=(150, 155, 160))
    pen.rectangle((370, 200, 430, 260), fill=(25, 25, 28))
    _lamp(pen, 200, _RED if stage is not None else _UNLIT)
    _lamp(pen, 250, _GREEN if stage in ("kernel", "system") else _UNLIT)


def _lamp(pen: ImageDraw, top: int, colour: tuple[int, int, int]) -> None:
    pen.ellipse((104, top, 140, top + 36), fill=colour)
