"""Pictures and films: what the verbs make of what a camera gives."""

from __future__ import annotations

import io
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image
from support.camera import Camera, encoded, jpeg, screen, served
from support.context import StepContext
from support.plain_context import PlainContext

from runner.api import (
    Cancelled,
    Duration,
    Failed,
    Keep,
    Kept,
    LabError,
    RecipeFault,
    TargetPath,
)
from runner.modules.video.mjpeg import Mjpeg
from runner.modules.video.pictures import Pictures
from runner.modules.video.ustreamer import Ustreamer
from runner.modules.video.video_record import VideoRecord
from runner.modules.video.video_snapshot import VideoSnapshot
from runner.modules.video.video_state import Expected, VideoState
from runner.modules.video.video_stream import VideoStream

LIMIT = Duration("60s")


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Read what a RIFF file holds, chunk after chunk; the content of each must be there."""
    at = 0
    while at < len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        assert at + 8 + length <= len(data), f"{name!r} is cut off"
        yield name, data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def film_of(data: bytes) -> tuple[list[bytes], float]:
    """Return the pictures of an AVI file, found by its index, and how many there are a second."""
    ((name, riff),) = chunks(data)
    assert (name, riff[:4]) == (b"RIFF", b"AVI ")
    (_, headers), (_, movie), (index_name, index) = chunks(riff[4:])
    assert (headers[:4], movie[:4], index_name) == (b"hdrl", b"movi", b"idx1")
    (_, main), (_, of_stream) = chunks(headers[4:])
    (_, stream_header), _ = chunks(of_stream[4:])
    scale, rate = struct.unpack_from("<II", stream_header, 20)
    found = []
    for entry in range(0, len(index), 16):
        name, _flags, at, length = struct.unpack_from("<4sIII", index, entry)
        assert movie[at : at + 4] == name == b"00dc"
        found.append(movie[at + 8 : at + 8 + length])
    assert struct.unpack_from("<I", main, 16)[0] == len(found)
    return found, rate / scale


@pytest.fixture
def camera() -> Iterator[Camera]:
    with served(Camera()) as it:
        yield it


def stream(camera: Camera) -> Mjpeg:
    driver = Mjpeg(url=f"{camera.url}/video", limit=LIMIT)
    driver.open()
    return driver


def ustreamer(camera: Camera) -> Ustreamer:
    driver = Ustreamer(url=camera.url, limit=LIMIT)
    driver.open()
    return driver


def pictures(folder: Path, *content: bytes, **options: object) -> Pictures:
    files = []
    for number, each in enumerate(content):
        (folder / f"{number}.jpg").write_bytes(each)
        files.append(str(folder / f"{number}.jpg"))
    driver = Pictures(files=files, **options)
    driver.open()
    return driver


def test_a_state_that_is_not_as_expected_fails_with_both_sides(camera: Camera) -> None:
    with closing(stream(camera)) as driver, pytest.raises(Failed) as caught:
        VideoState(expect=Expected(online=True, width=1920, height=48, min_fps=1000), camera=driver).run(
            StepContext(camera="desk")
        )

    assert "'desk' has a width of 64, expected 1920; takes" in caught.value.message
    assert "pictures a second, expected at least 1000" in caught.value.message


def test_a_signal_is_waited_for(camera: Camera) -> None:
    off = {"source": {"resolution": {"width": 640, "height": 480}, "online": False, "captured_fps": 0}}
    off |= {"encoder": {"type": "CPU", "quality": 80}}
    off["source"]["desired_fps"] = 30
    camera.state = {"result": off}
    context = StepContext()
    context.while_asleep = lambda _seconds: off["source"].update(online=len(context.slept) > 1)
    with closing(ustreamer(camera)) as driver:
        found = VideoState(expect=Expected(online=True), within=LIMIT, camera=driver).run(context)

    assert found.online
    assert (found.width, found.height, found.fps, found.desired_fps) == (640, 480, 0, 30)
    assert len(context.slept) == 2


def test_a_picture_is_kept_as_the_camera_gave_it(camera: Camera) -> None:
    context = StepContext()
    with closing(stream(camera)) as driver:
        found = VideoSnapshot(file="now.jpg", camera=driver).run(context)

    assert context.artifacts == {"now.jpg": camera.picture}
    assert (found.file, found.path, found.width, found.height) == ("now.jpg", "", 64, 48)
    assert found.size == len(camera.picture)


def test_a_part_of_a_picture_is_written_as_png(tmp_path: Path) -> None:
    context = StepContext()
    driver = pictures(tmp_path, encoded(screen("hello")))
    found = VideoSnapshot(path=TargetPath("out/title.png"), crop=[10, 0, 200, 20], camera=driver).run(context)

    image = Image.open(io.BytesIO(context.artifacts["out/title.png"]))
    assert (image.format, image.size) == ("PNG", (200, 20))
    assert (found.file, found.path, found.width, found.height) == ("", "out/title.png", 200, 20)


def test_a_part_that_is_not_within_is_refused_with_the_size(tmp_path: Path) -> None:
    driver = pictures(tmp_path, encoded(screen("hello")))
    with pytest.raises(RecipeFault, match=r"crop \[300, 0, 100, 20\] is not within .* 320x240"):
        VideoSnapshot(crop=[300, 0, 100, 20], camera=driver).run(StepContext())


def test_a_picture_waits_for_a_signal(camera: Camera) -> None:
    camera.online, camera.ages = [False, False, True], [-1.0]
    context = StepContext()
    with closing(ustreamer(camera)) as driver:
        found = VideoSnapshot(wait_online=LIMIT, camera=driver).run(context)

    assert found.online
    assert len(context.slept) == 2


def test_no_signal_fails_when_one_was_waited_for(camera: Camera) -> None:
    camera.online, camera.ages = [False], [0.0]
    with closing(ustreamer(camera)) as driver, pytest.raises(Failed, match="'screen' has no signal"):
        VideoSnapshot(wait_online=Duration(0), camera=driver).run(StepContext(camera="screen"))


def test_a_film_holds_every_picture_and_how_fast_they_came(tmp_path: Path) -> None:
    shown = [jpeg((each, 0, 0)) for each in (10, 90, 170, 250)]
    context = StepContext()
    driver = pictures(tmp_path, *shown, fps=1000.0)
    found = VideoRecord(duration=LIMIT, frames=4, file="four.avi", camera=driver).run(context)

    kept, fps = film_of(context.artifacts["four.avi"])
    assert kept == shown
    assert found.fps is not None
    assert fps == pytest.approx(found.fps, rel=0.01)
    assert (found.frames, found.ended) == (4, "frames")
    assert found.size == len(context.artifacts["four.avi"])


def test_pictures_alone_are_written_one_after_the_other(tmp_path: Path) -> None:
    shown = [jpeg((each, 0, 0)) for each in (10, 90)]
    context = StepContext()
    driver = pictures(tmp_path, *shown, fps=1000.0)
    VideoRecord(duration=LIMIT, frames=2, path=TargetPath("out/two.mjpeg"), camera=driver).run(context)

    assert context.artifacts["out/two.mjpeg"] == b"".join(shown)


def test_what_was_recorded_when_the_step_is_stopped_can_be_played(camera: Camera) -> None:
    context = KeepingContext()
    recording = threading.Thread(target=lambda: _cancelled(record, context))
    with closing(stream(camera)) as driver:
        record = VideoRecord(duration=Duration("600s"), camera=driver)
        recording.start()
        while not context.shown:
            time.sleep(0.01)
        context.cancel()
        recording.join(60)

    kept, _ = film_of(context.artifacts["film.avi"])
    assert len(kept) >= 1
    assert set(kept) == {camera.picture}
    assert context.cancelled_in == ["step"]


def test_what_was_recorded_when_the_camera_fails_is_kept(camera: Camera) -> None:
    camera.fault = "ends"
    context = StepContext()
    with closing(stream(camera)) as driver, pytest.raises(LabError, match="the stream has ended"):
        VideoRecord(duration=LIMIT, camera=driver).run(context)

    kept, _ = film_of(context.artifacts["film.avi"])
    assert 1 <= len(kept) <= 3


def test_a_film_without_pictures_is_an_error_and_leaves_nothing(camera: Camera) -> None:
    camera.fault = "stalled"
    context = StepContext()
    with closing(stream(camera)) as driver, pytest.raises(LabError, match="no picture came within 200ms"):
        VideoRecord(duration=Duration("200ms"), camera=driver).run(context)

    assert context.artifacts == {}


def test_where_a_stream_is_can_be_told(camera: Camera) -> None:
    with closing(stream(camera)) as driver:
        found = VideoStream(camera=driver).run(StepContext())

    assert found.url == f"{camera.url}/video"
    assert found.to == camera.url.removeprefix("http://")


def test_a_simulated_camera_shows_what_its_files_hold(tmp_path: Path) -> None:
    one, two = jpeg((200, 0, 0)), jpeg((0, 0, 200))
    driver = pictures(tmp_path, one, two)
    shown = [driver.snapshot(PlainContext()).jpeg for _ in range(3)]
    assert shown == [one, two, two]

    driver = pictures(tmp_path, one, two, repeat=True)
    assert [driver.snapshot(PlainContext()).jpeg for _ in range(3)] == [one, two, one]


def test_a_simulated_camera_shows_no_other_files(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="it is no JPEG: it begins with"):
        pictures(tmp_path, encoded(screen("a"), "PNG"))


class KeepingContext(PlainContext):
    """Keeps artifacts, and counts what is said of the progress."""

    def __init__(self) -> None:
        super().__init__()
        self.shown = 0
        self.artifacts: dict[str, bytes] = {}
        self.cancelled_in: list[str] = []

    def progress(self, done: float, total: float | None = None, unit: str = "B") -> None:
        self.shown += 1

    def artifact(self, name: str, data: bytes | Path, keep: Keep | None = None) -> Kept:
        self.artifacts[name] = data if isinstance(data, bytes) else data.read_bytes()
        return Kept(0, "")


def _cancelled(record: VideoRecord, context: KeepingContext) -> None:
    try:
        record.run(context)
    except Cancelled:
        context.cancelled_in.append("step")
