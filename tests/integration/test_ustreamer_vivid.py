"""ustreamer at a camera of the kernel: vivid, which draws a picture with a clock in it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.context import StepContext
from support.lab_vm import modprobe
from support.plain_context import PlainContext

from runner.api import Duration
from runner.modules.video.ustreamer import Ustreamer
from runner.modules.video.video_state import Expected, VideoState

pytestmark = [pytest.mark.labvm, pytest.mark.peer("ustreamer")]
LIMIT = Duration("100s")


def camera_of_vivid() -> Path:
    """Return the first device that takes pictures; the others show them, or are radios."""
    found = Path("/sys/class/video4linux").glob("video*/name")
    return next(Path("/dev", each.parent.name) for each in sorted(found) if "vid-cap" in each.read_text())


@pytest.fixture(scope="module")
def camera() -> Iterator[Ustreamer]:
    modprobe("vivid")
    driver = Ustreamer(options={"device": str(camera_of_vivid()), "resolution": "640x360"}, limit=LIMIT)
    driver.open()
    with closing(driver):
        yield driver


def test_it_comes_online_and_tells_its_size(camera: Ustreamer) -> None:
    context = StepContext()
    context.while_asleep = time.sleep
    state = VideoState(expect=Expected(online=True), within=LIMIT, camera=camera).run(context)

    assert (state.width, state.height) == (640, 360)


def test_each_picture_is_a_new_one(camera: Ustreamer) -> None:
    context = StepContext()
    context.while_asleep = time.sleep
    VideoState(expect=Expected(online=True), within=LIMIT, camera=camera).run(context)
    frames = [camera.snapshot(PlainContext()) for _ in range(3)]

    assert all(each.online for each in frames)
    assert len({each.jpeg for each in frames}) == 3
