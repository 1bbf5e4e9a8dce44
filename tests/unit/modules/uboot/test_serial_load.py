"""What is sent over the serial line, and how long it may take."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.context import StepContext, Terminal

from runner.api import Failed, FilePath, RecipeFault
from runner.modules.uboot.serial_load import Image, check_size, read_image, time_limit
from runner.modules.uboot.uboot_load import UbootLoad

IMAGE = Image(FilePath("u-boot.bin"), b"x" * 3000)


@pytest.mark.parametrize(
    ("protocol", "told", "good"),
    [
        ("ymodem", 3000, True),
        ("ymodem", 3072, False),
        ("xmodem", 3000, True),
        ("xmodem", 3072, True),
        ("xmodem", 2999, False),
        ("xmodem", 3073, False),
    ],
)
def test_a_size_that_cannot_be_is_refused(protocol: str, told: int, good: bool) -> None:
    if good:
        check_size(IMAGE, told, protocol)  # type: ignore[arg-type]
        return
    with pytest.raises(Failed, match=f"U-Boot has received {told} bytes of u-boot.bin, expected 3000"):
        check_size(IMAGE, told, protocol)  # type: ignore[arg-type]


def test_the_limit_follows_the_speed_and_a_step_that_is_too_short_is_refused_before() -> None:
    large = Image(FilePath("Image"), bytes(11_520 * 100))
    context = StepContext()

    assert time_limit(IMAGE, Terminal(), None, context) == 60
    assert time_limit(large, Terminal(), None, context) == 300
    assert time_limit(large, Terminal(), 1_152_000, context) == 60
    context.sleep(3600 - 50)
    with pytest.raises(
        RecipeFault, match="1152000 bytes take at least 1m40s at 115200 bit/s, but the step has 50s"
    ):
        time_limit(large, Terminal(), 115_200, context)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "needs 'file' with method: auto"),
        ({"file": "Image", "method": "ymodem"}, "needs 'image' with method: ymodem"),
        ({"image": FilePath("a"), "file": "b"}, "not both"),
        ({"image": FilePath("a"), "server": "10.0.2.2"}, "for files only"),
        ({"file": "Image", "baudrate": 9600}, "a baudrate for an image only"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_before_anything_is_typed(
    arguments: dict[str, object], words: str
) -> None:
    console = Terminal()

    with pytest.raises(RecipeFault, match=words):
        UbootLoad(console=console, **arguments).run(StepContext())  # type: ignore[arg-type]
    assert console.calls == []


def test_an_image_that_is_not_there_or_empty_is_the_recipe_s_fault(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()

    with pytest.raises(RecipeFault, match="cannot read"):
        read_image(FilePath(tmp_path / "missing"))
    with pytest.raises(RecipeFault, match="is empty"):
        read_image(FilePath(tmp_path / "empty"))
