"""What a screen shows is compared with pictures: hashes, pixels, regions, masks, and waiting."""

from __future__ import annotations

import io
import random
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from support.camera import encoded, screen
from support.context import StepContext
from support.plain_context import PlainContext

from runner.api import (
    CameraState,
    Context,
    Duration,
    Failed,
    FilePath,
    Frame,
    LabError,
    RecipeFault,
    StreamAddress,
    Video,
)
from runner.modules.video.alike import Method
from runner.modules.video.hashes import (
    average_hash,
    color_hash,
    difference_hash,
    perceptual_hash,
    wavelet_hash,
)
from runner.modules.video.image_compare import ImageCompare
from runner.modules.video.image_expect import ImageExpect
from runner.modules.video.image_hash import ImageHash
from runner.modules.video.segments import crop_resistant_hash

BLACK = Image.new("RGB", (320, 240))
METHODS: tuple[Method, ...] = (
    "average",
    "perceptual",
    "difference",
    "wavelet",
    "crop_resistant",
    "color",
    "pixels",
)
FOUND_BY_IMAGEHASH = {
    average_hash: "01387e3e3e0667ce",
    perceptual_hash: "800b6b2b7f2b31d9",
    difference_hash: "cbf0fcececaecf1a",
    wavelet_hash: "01387e3e3e0667ce",
}
"""By version 4.3.2, with Pillow 13.0, numpy 2.4, scipy 1.17 and PyWavelets 1.9, of `rectangles`."""
PARTS_FOUND_BY_IMAGEHASH = (
    "d3f0f4ecfcce4f1a,cfcecfcfcecc9092,cbf0fcececaecf1a,0000000000000000,4040404040404040,4040404040404040"
)


def rectangles(width: int = 320, height: int = 240, seed: int = 1) -> Image.Image:
    """Return a picture of many rectangles, the same everywhere."""
    dice = random.Random(seed)
    image = Image.new("RGB", (width, height))
    pen = ImageDraw.Draw(image)
    for _ in range(60):
        x, y = dice.randrange(width), dice.randrange(height)
        box = (x, y, x + dice.randrange(10, width // 2), y + dice.randrange(10, height // 2))
        pen.rectangle(box, fill=tuple(dice.randrange(256) for _ in range(3)))
    return image


class Screen(Video):
    """Shows pictures one after the other; the last one stays. None is a black one without a signal."""

    def __init__(self, *shown: Image.Image | bytes | None) -> None:
        self._shown = list(shown)

    def snapshot(self, context: Context) -> Frame:
        del context
        shown = self._shown.pop(0) if len(self._shown) > 1 else self._shown[0]
        data = shown if isinstance(shown, bytes) else encoded(shown or BLACK)
        return Frame(jpeg=data, width=0, height=0, time=0.0, online=shown is not None)

    def state(self, context: Context) -> CameraState:
        raise AssertionError

    def frames(self, context: Context, until: float) -> Iterable[Frame]:
        raise AssertionError

    def address(self) -> StreamAddress:
        raise AssertionError


@pytest.fixture
def desktop(tmp_path: Path) -> FilePath:
    screen("desktop").save(tmp_path / "desktop.png")
    return FilePath(tmp_path / "desktop.png")


@pytest.mark.parametrize(
    ("find", "expected"), FOUND_BY_IMAGEHASH.items(), ids=[each.__name__ for each in FOUND_BY_IMAGEHASH]
)
def test_hashes_are_those_of_imagehash(find: object, expected: str) -> None:
    assert str(find(rectangles(), 8)) == expected


@pytest.mark.parametrize("find", FOUND_BY_IMAGEHASH, ids=[each.__name__ for each in FOUND_BY_IMAGEHASH])
def test_a_picture_of_one_colour_has_no_bit_set(find: object) -> None:
    assert str(find(BLACK, 8)) == "0" * 16


@pytest.mark.parametrize(("seed", "expected"), [(1, "08200201040"), (4, "08002000408"), (7, "09000001280")])
def test_the_hash_of_colours_is_that_of_imagehash(seed: int, expected: str) -> None:
    assert str(color_hash(rectangles(seed=seed), 8)) == expected


def test_screens_of_one_shape_are_told_apart_by_their_colours(tmp_path: Path) -> None:
    Image.new("RGB", (64, 48), (200, 120, 30)).save(tmp_path / "orange.png")
    orange, green = Image.new("RGB", (64, 48), (200, 120, 30)), Image.new("RGB", (64, 48), (20, 110, 20))
    reference = FilePath(tmp_path / "orange.png")

    def seen(camera: Screen, method: Method) -> float:
        return ImageExpect(reference=reference, method=method, camera=camera).run(StepContext()).distance

    assert seen(Screen(green), "average") == 0
    assert seen(Screen(orange), "color") == 0
    with pytest.raises(
        Failed, match=r"differs by \d+ of 42 bits from 'orange.png' \(color\), expected at most 1"
    ):
        seen(Screen(green), "color")
    assert [each.argument for each in ImageExpect.misfits({"method": "color", "hash_size": 16})] == [
        "hash_size"
    ]


def test_the_hashes_of_parts_are_those_of_imagehash() -> None:
    assert ",".join(map(str, crop_resistant_hash(rectangles(), 8))) == PARTS_FOUND_BY_IMAGEHASH


@pytest.mark.parametrize("method", METHODS)
def test_the_same_screen_is_alike_and_another_is_not(method: Method, tmp_path: Path) -> None:
    rectangles(seed=4).save(tmp_path / "desktop.png")
    reference = FilePath(tmp_path / "desktop.png")
    same = ImageExpect(reference=reference, method=method, camera=Screen(rectangles(seed=4)))
    other = ImageExpect(reference=reference, method=method, camera=Screen(rectangles()))

    found = same.run(StepContext())
    assert 0 <= found.distance <= found.tolerance
    assert found.files == {}
    with pytest.raises(Failed, match=rf"from 'desktop.png' \({method}\), expected at most"):
        other.run(StepContext())
    far = ImageExpect(reference=reference, method=method, tolerance=1000, camera=Screen(rectangles()))
    assert far.run(StepContext()).distance > found.tolerance


def test_what_was_compared_is_kept_when_it_fails(desktop: FilePath) -> None:
    context, shown = StepContext(camera="screen"), rectangles()
    with pytest.raises(Failed, match="'screen' shows what differs by ") as caught:
        ImageExpect(reference=desktop, camera=Screen(shown)).run(context)

    files = caught.value.result.files
    assert set(files) == {"actual", "reference", "side_by_side"}
    assert {name: caught.value.evidence[name] for name in files} == files
    assert context.artifacts[files["actual"]] == encoded(shown)
    assert Image.open(io.BytesIO(context.artifacts[files["reference"]])).size == (320, 240)
    beside = Image.open(io.BytesIO(context.artifacts[files["side_by_side"]])).convert("RGB")
    assert beside.width > 3 * 320
    assert beside.getpixel((320 // 2, 20 + 5)) == (50, 90, 200)


def test_two_failures_with_one_reference_do_not_share_their_pictures(desktop: FilePath) -> None:
    context = StepContext()
    for seed in (1, 2):
        with pytest.raises(Failed):
            ImageExpect(reference=desktop, camera=Screen(rectangles(seed=seed))).run(context)

    assert len(context.artifacts) == 6


def test_a_screen_is_looked_at_until_it_is_alike(desktop: FilePath) -> None:
    context = StepContext()
    camera = Screen(BLACK, None, rectangles(), screen("desktop"))
    found = ImageExpect(
        reference=desktop, within=Duration("60s"), interval=Duration("3s"), camera=camera
    ).run(context)

    assert found.attempts == 4
    assert context.slept == [3.0] * 3
    assert context.artifacts == {}


def test_unlike_waits_until_the_screen_has_changed(desktop: FilePath) -> None:
    camera = Screen(screen("desktop"), screen("desktop"), rectangles())
    found = ImageExpect(reference=desktop, unlike=True, within=Duration("60s"), camera=camera).run(
        StepContext()
    )

    assert found.attempts == 3
    assert found.distance > found.tolerance


def test_unlike_fails_on_the_same_screen(desktop: FilePath) -> None:
    with pytest.raises(Failed, match="differs by 0 of 64 bits .*, expected more than 1"):
        ImageExpect(reference=desktop, unlike=True, camera=Screen(screen("desktop"))).run(StepContext())


@pytest.mark.parametrize("unlike", [False, True])
def test_without_a_signal_nothing_passes(unlike: bool, desktop: FilePath, tmp_path: Path) -> None:
    BLACK.save(tmp_path / "black.png")
    reference = desktop if unlike else FilePath(tmp_path / "black.png")
    module = ImageExpect(reference=reference, unlike=unlike, camera=Screen(None))
    with pytest.raises(Failed, match="has no signal") as caught:
        module.run(StepContext())

    assert caught.value.result.online is False
    module.signal = False
    assert module.run(StepContext()).attempts == 1


def test_a_region_is_compared_with_the_same_or_with_just_that(desktop: FilePath, tmp_path: Path) -> None:
    shown = screen("desktop")
    shown.paste(rectangles(320, 200), (0, 40))
    region = [0, 0, 200, 30]
    whole = ImageExpect(reference=desktop, region=region, method="pixels", camera=Screen(shown))
    screen("desktop").crop((0, 0, 200, 30)).save(tmp_path / "title.png")
    part = ImageExpect(
        reference=FilePath(tmp_path / "title.png"), region=region, method="pixels", camera=Screen(shown)
    )

    assert whole.run(StepContext()).distance < 1
    assert part.run(StepContext()).distance < 1
    with pytest.raises(Failed):
        ImageExpect(reference=desktop, method="pixels", camera=Screen(shown)).run(StepContext())


@pytest.mark.parametrize("region", [[], [0, 0, 200, 100]])
def test_what_is_masked_does_not_count(region: list[int], desktop: FilePath) -> None:
    shown = screen("desktop")
    shown.paste((255, 255, 255), (100, 0, 160, 24))
    how = {"reference": desktop, "method": "pixels", "region": region, "tolerance": 0.5}
    with pytest.raises(Failed):
        ImageExpect(**how, camera=Screen(shown)).run(StepContext())

    mask = [[96, 0, 72, 32]]
    assert ImageExpect(**how, mask=mask, camera=Screen(shown)).run(StepContext()).distance <= 0.5


def test_a_mask_belongs_to_the_picture_also_where_the_reference_is_a_part(tmp_path: Path) -> None:
    screen("desktop").crop((100, 0, 300, 100)).save(tmp_path / "part.png")
    shown = screen("desktop")
    shown.paste((255, 255, 255), (120, 0, 160, 24))
    module = ImageExpect(
        reference=FilePath(tmp_path / "part.png"),
        method="pixels",
        region=[100, 0, 200, 100],
        mask=[[112, 0, 56, 32]],
        tolerance=0.5,
        camera=Screen(shown),
    )

    assert module.run(StepContext()).distance <= 0.5


def test_a_cropped_screen_has_the_parts_of_the_whole(tmp_path: Path) -> None:
    whole = Image.new("RGB", (600, 600), (255, 255, 255))
    whole.paste(rectangles(200, 200).point(lambda value: value // 3), (40, 40))
    whole.paste(rectangles(160, 160, seed=5).point(lambda value: value // 3), (340, 300))
    whole.save(tmp_path / "whole.png")
    shown = whole.crop((20, 20, 580, 580))

    def distance(method: Method) -> float:
        return (
            ImageExpect(
                reference=FilePath(tmp_path / "whole.png"), method=method, tolerance=100, camera=Screen(shown)
            )
            .run(StepContext())
            .distance
        )

    assert distance("crop_resistant") <= 50
    assert distance("difference") > 1


def test_pictures_of_other_sizes_cannot_be_compared_by_pixels(desktop: FilePath) -> None:
    module = ImageExpect(reference=desktop, method="pixels", camera=Screen(screen("desktop", 640, 480)))
    with pytest.raises(RecipeFault, match="has 640x480 pixels, the reference 320x240"):
        module.run(StepContext())


@pytest.mark.parametrize("content", [b"", b"\xff\xd8 no picture \xff\xd9", encoded(screen("a"))[:3000]])
def test_a_camera_that_gives_no_picture_is_the_benchs_fault(content: bytes, desktop: FilePath) -> None:
    with pytest.raises(LabError, match="what the camera gave is no picture"):
        ImageExpect(reference=desktop, camera=Screen(content)).run(StepContext())


def test_a_reference_that_is_no_picture_is_the_recipes_fault(tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("to do", encoding="utf-8")
    with pytest.raises(RecipeFault, match="the reference 'notes.png' is no picture"):
        ImageExpect(reference=FilePath(tmp_path / "notes.png"), camera=Screen(BLACK)).run(StepContext())


def test_a_hash_is_that_of_the_screen_or_of_a_file(desktop: FilePath) -> None:
    shown = ImageHash(camera=Screen(rectangles()), method="average", hash_size=4).run(PlainContext())
    of_file = ImageHash(image=desktop, method="crop_resistant").run(PlainContext())

    assert len(shown.hash) == 4
    assert (of_file.width, of_file.height) == (320, 240)
    with pytest.raises(RecipeFault, match="no camera"):
        ImageHash().run(PlainContext())


def test_a_comparison_tells_the_distance_and_fails_nothing(desktop: FilePath, tmp_path: Path) -> None:
    rectangles().save(tmp_path / "other.png")
    other = FilePath(tmp_path / "other.png")

    assert ImageCompare(a=desktop, b=desktop).run(PlainContext()).distance == 0
    found = ImageCompare(a=desktop, b=other).run(PlainContext())
    assert found.distance == (int(found.hash_a, 16) ^ int(found.hash_b, 16)).bit_count() > 8


@pytest.mark.parametrize(
    ("given", "argument"),
    [
        ({"region": [0, 0, 10]}, "region"),
        ({"region": [0, 0, 0, 10]}, "region"),
        ({"mask": [[0, 0, 5, 5], [-1, 0, 5, 5]]}, "mask.1"),
        ({"method": "wavelet", "hash_size": 12}, "hash_size"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_the_run(given: dict[str, object], argument: str) -> None:
    assert [each.argument for each in ImageExpect.misfits({"hash_size": 8, **given})] == [argument]


def test_without_pillow_it_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['PIL'] = None\n"
        "from runner.api import Unsupported\n"
        "from runner.modules.video.picture import pillow\n"
        "try:\n    pillow('Image')\nexcept Unsupported as error:\n    print(error.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "python3-pil" in done.stdout


def test_pillow_is_looked_for_on_the_host_and_never_sent() -> None:
    code = (
        "from runner.connect.needs import source_closure\n"
        "found = source_closure(['runner.modules.video.image_expect'], {})\n"
        "print([name for name in found if name.startswith('PIL')], 'runner.modules.video.hashes' in found)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[] True"
