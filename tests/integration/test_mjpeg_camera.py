"""Cameras with a web server, and all the ways in which they answer badly."""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from support.camera import Camera, colour_of, jpeg, served
from support.command import wait_until
from support.plain_context import PlainContext

from runner.api import Cancelled, Duration, Frame, LabError, Secret, Unreachable, Unsupported
from runner.api.web import Web
from runner.modules.video.live import LiveStream
from runner.modules.video.mjpeg import Mjpeg
from runner.modules.video.multipart import Part
from runner.modules.video.source import Source

PATHS = pytest.mark.parametrize("path", ["url", "snapshot_url"])
COLOURS = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (200, 200, 30)]


@pytest.fixture
def camera() -> Iterator[Camera]:
    with served(Camera()) as it:
        yield it


def opened(**options: object) -> Mjpeg:
    driver = Mjpeg(**{"limit": Duration("60s"), **options})
    driver.open()
    return driver


def snapshot(driver: Mjpeg) -> Frame:
    return driver.snapshot(PlainContext())


def test_a_picture_is_never_one_that_was_sent_before_it_was_asked_for(camera: Camera) -> None:
    with closing(opened(url=f"{camera.url}/video")) as driver:
        for number in range(24):
            colour = COLOURS[number % 4]
            camera.show(jpeg(colour))
            assert colour_of(snapshot(driver).jpeg) == colour

    assert camera.connections == 1


def test_what_has_waited_to_be_read_is_known_to_be_old(camera: Camera) -> None:
    web = Web(url=camera.url, limit=Duration("60s"))
    with closing(Source(web, "/video").parts()) as parts:
        next(parts)
        wait_until(lambda: not web.idle, "a picture is waiting")
        asked = time.monotonic()

        assert next(parts).began < asked
        assert any(each.began >= asked for each in itertools.islice(parts, 1000))


class Late:
    """A camera's stream whose first picture was on its way before anybody asked."""

    url = "late"

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.web = self

    def abort(self) -> None:
        self.asked.set()

    def parts(self) -> Iterator[Part]:
        self.asked.wait()
        yield Part(b"old", 0.0)
        yield Part(b"new", math.inf)

    def frame(self, jpeg: bytes, when: float) -> Frame:
        return Frame(jpeg=jpeg, width=1, height=1, time=when)


def test_a_picture_that_was_on_its_way_is_not_taken() -> None:
    late, context = Late(), PlainContext()
    context.on_cancel = lambda _wake: late.asked.set() or (lambda: None)
    live = LiveStream(late)

    assert live.newest(context, 60.0).jpeg == b"new"
    live.close()


def test_single_pictures_keep_their_connection(camera: Camera) -> None:
    with closing(opened(snapshot_url=f"{camera.url}/snapshot?size=1")) as driver:
        for colour in COLOURS:
            camera.show(jpeg(colour))
            assert colour_of(snapshot(driver).jpeg) == colour

    assert camera.connections == 1
    assert camera.asked == ["/snapshot?size=1"] * 4


@pytest.mark.parametrize(
    ("boundary", "announced", "lengths"),
    [("frame", '"--frame"', True), ("frame", "frame", False), ("--frame", "--frame", False)],
)
def test_boundaries_and_lengths_are_taken_as_cameras_write_them(
    camera: Camera, boundary: str, announced: str, lengths: bool
) -> None:
    camera.boundary, camera.announced, camera.lengths = boundary, announced, lengths
    with closing(opened(url=f"{camera.url}/video")) as driver:
        assert snapshot(driver).jpeg == camera.picture


def test_a_stream_that_ends_says_so_and_the_next_step_asks_again(camera: Camera) -> None:
    camera.fault = "ends"
    with closing(opened(url=f"{camera.url}/video")) as driver:
        with pytest.raises(LabError, match="/video: the stream has ended"):
            list(driver.frames(PlainContext(), time.monotonic() + 600))
        camera.fault = ""

        assert snapshot(driver).jpeg
        assert camera.connections == 2


@PATHS
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("404", "url answers 404 Not Found, expected 2xx"),
        ("html", "url: it is .text/html.|_url gives no picture: it is no JPEG"),
    ],
)
def test_what_is_no_picture_is_told_with_where_it_came_from(
    camera: Camera, fault: str, message: str, path: str
) -> None:
    camera.fault = fault
    with closing(opened(**{path: f"{camera.url}/{path}"})) as driver, pytest.raises(LabError, match=message):
        snapshot(driver)


def test_a_picture_that_is_cut_off_is_told(camera: Camera) -> None:
    camera.fault = "cut"
    with (
        closing(opened(url=f"{camera.url}/video")) as driver,
        pytest.raises(LabError, match=r"/video gives no picture: the JPEG is cut off after \d+ bytes"),
    ):
        snapshot(driver)


def test_a_stream_of_garbage_is_told(camera: Camera) -> None:
    camera.fault = "garbage"
    with (
        closing(opened(url=f"{camera.url}/video")) as driver,
        pytest.raises(LabError, match="the head of a part does not end"),
    ):
        snapshot(driver)


@PATHS
def test_one_that_gives_nothing_is_unreachable_with_the_limit(camera: Camera, path: str) -> None:
    camera.fault = "stalled"
    with (
        closing(opened(**{path: f"{camera.url}/{path}", "limit": Duration("300ms")})) as driver,
        pytest.raises(Unreachable, match="within") as caught,
    ):
        snapshot(driver)

    assert "'limit'" in caught.value.hint


@PATHS
def test_a_stopped_step_does_not_wait_for_the_limit(camera: Camera, path: str) -> None:
    camera.fault = "stalled"
    context, began = PlainContext(), time.monotonic()

    def stop() -> None:
        wait_until(lambda: bool(camera.asked), "the camera is asked")
        context.cancel()

    stopping = threading.Thread(target=stop)
    with closing(opened(**{path: f"{camera.url}/{path}", "limit": Duration("90s")})) as driver:
        stopping.start()
        with pytest.raises(Cancelled):
            driver.snapshot(context)
    stopping.join()

    assert time.monotonic() - began < 60


def test_a_step_that_was_stopped_before_does_not_ask(camera: Camera) -> None:
    camera.fault = "stalled"
    context = PlainContext()
    context.cancel()
    with (
        closing(opened(snapshot_url=f"{camera.url}/snapshot", limit=Duration("2s"))) as driver,
        pytest.raises(Cancelled),
    ):
        driver.snapshot(context)

    assert camera.asked == []


@PATHS
def test_a_password_is_told_when_it_is_asked_for(camera: Camera, path: str) -> None:
    camera.password = "pass word"
    known = {"user": "viewer", "password": Secret("pass word")}
    with closing(opened(**{path: f"{camera.url}/{path}"}, **known)) as driver:
        assert snapshot(driver).jpeg == camera.picture


@PATHS
def test_a_wrong_password_is_told_without_it(camera: Camera, path: str) -> None:
    camera.password = "pass word"
    known = {"user": "viewer", "password": Secret("wrong word")}
    with (
        closing(opened(**{path: f"{camera.url}/{path}"}, **known)) as driver,
        pytest.raises(LabError, match="refuses user 'viewer': 401") as caught,
    ):
        snapshot(driver)

    assert "word" not in f"{caught.value.message}{caught.value.evidence}"


def test_nobody_there_is_unreachable() -> None:
    with served(Camera()) as gone:
        pass
    with (
        closing(opened(snapshot_url=f"{gone.url}/snapshot")) as driver,
        pytest.raises(Unreachable, match=f"{gone.url} cannot be reached"),
    ):
        snapshot(driver)


def test_the_state_counts_the_pictures_of_a_second(camera: Camera) -> None:
    with closing(opened(url=f"{camera.url}/video")) as driver:
        state = driver.state(PlainContext())

    assert state.online
    assert (state.width, state.height) == (64, 48)
    assert state.fps is not None
    assert 0 < state.fps < 80  # 50 are sent; some that have waited may be read at once


def test_a_recording_ends_on_time_although_nothing_comes(camera: Camera) -> None:
    with closing(opened(url=f"{camera.url}/video")) as driver:
        snapshot(driver)
        camera.fault = "stalled"
        began = time.monotonic()
        list(driver.frames(PlainContext(), began + 0.3))

    assert 0.2 < time.monotonic() - began < 50


def test_where_the_stream_is() -> None:
    found = opened(url="https://[::1]/video?a=1").address()

    assert (found.to, found.path, found.scheme) == ("[::1]:443", "/video?a=1", "https")
    with pytest.raises(Unsupported, match="no stream"):
        opened(snapshot_url="http://10.0.0.1/a.jpg").address()


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"url": "", "snapshot_url": ""}, "neither a stream nor single pictures"),
        ({"url": "10.0.0.9/video"}, "is no URL of a camera"),
        ({"url": "http://me:secret@10.0.0.9/"}, "who one is does not belong into a URL"),
        ({"snapshot_url": "http://10.0.0.9:x/"}, "Port could not be cast"),
    ],
)
def test_a_url_that_is_none_is_refused_before_the_run(options: dict[str, str], wrong: str) -> None:
    found = list(Mjpeg.misfits({"url": "", "snapshot_url": "", **options}))

    assert [wrong in each.message for each in found] == [True]
