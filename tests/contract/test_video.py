"""What every camera does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from support.camera import Camera, jpeg, served
from support.plain_context import PlainContext
from support.rtsp_camera import PASSWORD, USER, rtsp_camera

from runner.api import Cancelled, Driver, Duration, Secret, Video
from runner.modules.sim.sim_rpi4 import SimRpi4
from runner.modules.video.jpeg import size_of
from runner.modules.video.mjpeg import Mjpeg
from runner.modules.video.pictures import Pictures
from runner.modules.video.rtsp import Rtsp
from runner.modules.video.ustreamer import Ustreamer

SIZE = (640, 480)


def _camera(stack: ExitStack) -> Camera:
    camera = stack.enter_context(served(Camera()))
    camera.show(jpeg(width=SIZE[0], height=SIZE[1]))
    return camera


def _pictures(folder: Path, _: ExitStack) -> Video:
    (folder / "one.jpg").write_bytes(jpeg(width=SIZE[0], height=SIZE[1]))
    return Pictures(files=[str(folder / "one.jpg")], fps=50.0)


def _stream(_: Path, stack: ExitStack) -> Video:
    return Mjpeg(url=f"{_camera(stack).url}/video", limit=Duration("60s"))


def _single(_: Path, stack: ExitStack) -> Video:
    return Mjpeg(snapshot_url=f"{_camera(stack).url}/snapshot", limit=Duration("60s"))


def _rtsp(_: Path, stack: ExitStack) -> Video:
    url = f"{stack.enter_context(rtsp_camera()).digest}/h264"
    return Rtsp(url=url, user=USER, password=Secret(PASSWORD), limit=Duration("60s"))


def _ustreamer(_: Path, __: ExitStack) -> Video:
    return Ustreamer(options={"device": "/dev/no-camera"}, limit=Duration("60s"))


def _simulated(stack: ExitStack) -> SimRpi4:
    driver = SimRpi4()
    driver.open()
    stack.callback(driver.close)
    return driver


DRIVERS = {
    "simulated grabber": lambda _, stack: _simulated(stack).hdmi(),
    "simulated camera": lambda _, stack: _simulated(stack).camera(),
    "pictures": _pictures,
    "mjpeg stream": _stream,
    "mjpeg single": _single,
    "ustreamer": pytest.param(_ustreamer, marks=pytest.mark.peer("ustreamer")),
    "rtsp": pytest.param(_rtsp, marks=[pytest.mark.peer("ffmpeg"), pytest.mark.peer("rtsp server")]),
}


@pytest.fixture(scope="module", params=list(DRIVERS.values()), ids=list(DRIVERS))
def camera(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Video]:
    make: Callable[[Path, ExitStack], Video] = request.param
    with ExitStack() as stack:
        camera = make(tmp_path_factory.mktemp("camera"), stack)
        if isinstance(camera, Driver):
            camera.open()
            stack.callback(camera.close)
        yield camera


def test_a_picture_is_a_jpeg_of_the_size_that_it_says(camera: Video) -> None:
    frame = camera.snapshot(PlainContext())

    assert size_of(frame.jpeg) == (frame.width, frame.height) == SIZE


def test_a_picture_comes_after_it_was_asked_for(camera: Video) -> None:
    camera.snapshot(PlainContext())
    asked = time.monotonic()

    assert asked <= camera.snapshot(PlainContext()).time <= time.monotonic()


def test_the_state_tells_the_size(camera: Video) -> None:
    state = camera.state(PlainContext())

    assert (state.width, state.height) == SIZE


def test_pictures_come_until_the_time_is_over(camera: Video) -> None:
    began = time.monotonic()
    with closing(camera.frames(PlainContext(), began + 600)) as frames:
        next(frames)
    until = time.monotonic() + 0.5 + 10 * (time.monotonic() - began)
    with closing(camera.frames(PlainContext(), until)) as frames:
        found = list(frames)

    assert found
    assert all((each.width, each.height) == SIZE for each in found)
    assert time.monotonic() >= until


def test_who_waits_for_pictures_is_woken_when_the_step_is_stopped(camera: Video) -> None:
    context = PlainContext()
    with closing(camera.frames(context, time.monotonic() + 600)) as frames:
        next(frames)
        stopping = threading.Timer(0.1, context.cancel)
        stopping.start()
        with pytest.raises(Cancelled):
            for _ in frames:
                pass
        stopping.join()


def test_it_gives_pictures_after_a_recording(camera: Video) -> None:
    with closing(camera.frames(PlainContext(), time.monotonic() + 600)) as frames:
        next(frames)

    assert camera.snapshot(PlainContext()).jpeg
