"""The screen of a virtual device of Corellium, as PNG files of every kind that it may answer."""

from __future__ import annotations

import io
import random
import struct
import zlib

import pytest
from PIL import Image
from support.context import StepContext
from support.corellium import Corellium
from support.corellium_driver import Driven

from runner.api import LabError
from runner.modules.machine.vm_screendump import VmScreendump

pytestmark = pytest.mark.peer("bash")


def picture() -> Image.Image:
    """Return a picture in four bands: even, noise, like the left, like what is above."""
    chance = random.Random(1)
    grey = [[0] * 90 for _ in range(40)]
    for y in range(40):
        for x in range(90):
            near = (7, chance.randrange(256), grey[y][x - 1] + 3, grey[y - 1][x] + 3)[y // 10]
            grey[y][x] = (near + chance.randrange(2 if y > 9 else 1)) % 256
    one = Image.frombytes("L", (90, 40), bytes(each for row in grey for each in row))
    return Image.merge("RGB", (one, one.point(lambda value: 255 - value), one))


def by_means(shown: Image.Image) -> bytes:
    """Return a grey picture as a PNG file whose rows have the filter that Pillow never writes: 3, the mean."""
    pixels, width = shown.tobytes(), shown.width
    rows = bytearray()
    for at, each in enumerate(pixels):
        left = pixels[at - 1] if at % width else 0
        up = pixels[at - width] if at >= width else 0
        rows += b"\3" * (at % width == 0) + bytes([(each - (left + up) // 2) % 256])
    header = struct.pack(">IIBBBBB", width, shown.height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows))), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P"])
def test_the_screen_is_shown_as_it_was_answered(mode: str, corellium: Corellium, driven: Driven) -> None:
    """Pillow writes the picture, row by row with the filter of PNG that fits it best."""
    shown = picture().convert(mode)
    file = io.BytesIO()
    shown.save(file, "PNG")
    corellium.add("nightly", "on")
    corellium.screen = file.getvalue()
    context = StepContext(vm="board")

    dumped = VmScreendump(vm=driven()).run(context)

    again = Image.open(io.BytesIO(context.artifacts["board.png"]))
    assert again.tobytes() == shown.convert("RGB").tobytes()
    assert (dumped.width, dumped.height) == (90, 40)
    assert corellium.asked[-1].path.endswith("/screenshot.png")
    assert corellium.asked[-1].headers["Accept"] == "image/png"


def test_a_screen_whose_rows_are_told_by_means_is_shown(corellium: Corellium, driven: Driven) -> None:
    shown = picture().convert("L")
    corellium.add("nightly", "on")
    corellium.screen = by_means(shown)
    assert Image.open(io.BytesIO(corellium.screen)).tobytes() == shown.tobytes()

    assert driven().screendump().rgb == shown.convert("RGB").tobytes()


@pytest.mark.parametrize("cut", [0, 4, 30, -20])
def test_a_screen_that_is_no_picture_is_an_error(cut: int, corellium: Corellium, driven: Driven) -> None:
    file = io.BytesIO()
    Image.linear_gradient("L").save(file, "PNG")
    corellium.add("nightly", "on")
    corellium.screen = file.getvalue()[:cut]

    with pytest.raises(LabError, match="/screenshot.png answers no picture: "):
        VmScreendump(vm=driven()).run(StepContext())
