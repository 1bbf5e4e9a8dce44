"""Cameras with RTSP: a real server, the real ffmpeg, and all the ways in which it does not work."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.plain_context import PlainContext
from support.rtsp_camera import PASSWORD, SIZE, USER, Pattern, RtspCamera, rtsp_camera

from runner.api import Duration, LabError, Secret, Unreachable, Unsupported
from runner.modules.video.decoded import Decoded
from runner.modules.video.ffmpeg import Stream
from runner.modules.video.image_expect import ImageExpect
from runner.modules.video.rtsp import Rtsp

pytestmark = [pytest.mark.peer("ffmpeg"), pytest.mark.peer("rtsp server")]
LIMIT = Duration("60s")


@pytest.fixture(scope="module")
def camera() -> Iterator[RtspCamera]:
    with rtsp_camera() as it:
        yield it


def opened(url: str, **options: object) -> Rtsp:
    driver = Rtsp(**{"url": url, "limit": LIMIT, **options})
    driver.open()
    return driver


def failure(url: str, **options: object) -> LabError:
    with closing(opened(url, **options)) as driver, pytest.raises(LabError) as caught:
        driver.snapshot(PlainContext())
    return caught.value


class Showing(PlainContext):
    """Has the camera show another picture when the step pauses."""

    def __init__(self, camera: RtspCamera, picture: Pattern) -> None:
        super().__init__()
        self._camera, self._picture = camera, picture

    def sleep(self, seconds: float) -> None:
        self._camera.show(self._picture)
        super().sleep(seconds)


def test_a_change_of_the_screen_is_waited_for_over_one_connection(tmp_path: Path) -> None:
    reference = tmp_path / "smpte.jpg"
    with rtsp_camera() as camera, closing(opened(f"{camera.open}/jpeg", transport="udp")) as driver:
        reference.write_bytes(driver.snapshot(PlainContext()).jpeg)
        process = driver._live._source.process
        expected = {"reference": str(reference), "tolerance": 8.0, "within": LIMIT, "camera": driver}
        camera.show("checkers-8")
        ImageExpect(**expected, unlike=True).run(PlainContext())
        found = ImageExpect(**expected, interval=Duration("10ms")).run(Showing(camera, "smpte"))

        assert found.attempts >= 2
        assert driver._live._source.process is process
        assert process.poll() is None
    assert process.poll() is not None


def test_the_password_is_told_and_stands_on_no_command_line(camera: RtspCamera) -> None:
    with closing(opened(f"{camera.digest}/h264", user=USER, password=Secret(PASSWORD))) as driver:
        frame = driver.snapshot(PlainContext())
        process = Path(f"/proc/{driver._live._source.process.pid}")
        shown = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()

    assert (frame.width, frame.height) == SIZE
    assert b"ffmpeg\0" in shown
    assert b"sesame" not in shown
    assert USER.encode() not in shown


def test_a_wrong_password_is_told_without_it(camera: RtspCamera) -> None:
    error = failure(f"{camera.digest}/h264", user=USER, password=Secret("wrong'% sesame"))

    assert error.message == f"{camera.digest}/h264 refuses user 'viewer': 401 Unauthorized"
    assert "sesame" not in f"{error.message}{error.evidence}"
    assert Stream("", USER, Secret("a b")).told("[rtsp @ 0x1f] of a b or a%20b\n") == "of ****** or ******"


def test_who_says_no_user_is_refused(camera: RtspCamera) -> None:
    assert "refuses who does not say who it is: 401" in failure(f"{camera.digest}/h264").message


def test_a_stream_that_is_not_there_is_told(camera: RtspCamera) -> None:
    error = failure(f"{camera.open}/garden?channel=1")

    assert error.message == f"{camera.open}/garden?channel=1: there is no such stream: 404 Not Found"


def test_nobody_who_listens_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"rtsp://127.0.0.1:{listener.getsockname()[1]}/live"
    error = failure(url)

    assert isinstance(error, Unreachable)
    assert error.message == f"{url} cannot be reached: Connection refused"


@pytest.mark.parametrize(("transport", "hint"), [("tcp", "'limit'"), ("udp", "transport: tcp")])
def test_one_that_says_nothing_is_unreachable_with_the_limit(transport: str, hint: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"rtsp://127.0.0.1:{listener.getsockname()[1]}/live"
        error = failure(url, limit=Duration("300ms"), transport=transport)

    assert isinstance(error, Unreachable)
    assert error.message == f"{url} has given no new picture within {Duration(0.3)}"
    assert hint in error.hint


def test_one_that_hangs_up_gives_no_picture() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            listener.accept()[0].close()

        hangs_up = threading.Thread(target=hang_up)
        hangs_up.start()
        error = failure(f"rtsp://127.0.0.1:{listener.getsockname()[1]}/live")
        hangs_up.join(30)

    assert re.search(r"has given no picture: ffmpeg has ended \(exit status \d+\): .", error.message)


def test_an_end_is_told_and_the_next_step_begins_anew() -> None:
    with rtsp_camera() as camera, closing(opened(f"{camera.open}/jpeg")) as driver:
        with closing(driver.frames(PlainContext(), time.monotonic() + 600)) as frames:
            next(frames)
            driver._live._source.process.kill()
            with pytest.raises(LabError, match=r"ffmpeg has ended \(ended by signal SIGKILL\)"):
                list(frames)
        with closing(driver.frames(PlainContext(), time.monotonic() + 600)) as frames:
            next(frames)
            camera.process.kill()
            with pytest.raises(LabError, match="/jpeg: the stream has ended"):
                list(frames)
        with pytest.raises(Unreachable, match="Connection refused"):
            driver.snapshot(PlainContext())


def test_a_program_that_is_missing_is_named_with_its_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    error = failure("rtsp://127.0.0.1/live")

    assert isinstance(error, Unreachable)
    assert error.message.startswith("rtsp://127.0.0.1/live needs ffmpeg: cannot start 'ffmpeg': No such file")
    assert error.hint == "apt install ffmpeg on the bench's host"


def test_a_program_that_is_too_old_is_told() -> None:
    words = ["Unrecognized option 'fps_mode'.", "Error splitting the argument list: Option not found"]
    error = Stream("rtsp://127.0.0.1/live").ended(words, 1, 0)

    assert isinstance(error, Unsupported)
    assert error.message == "the host's ffmpeg is too old: Unrecognized option 'fps_mode'."


def test_a_url_cannot_tell_ffmpeg_anything_else(tmp_path: Path) -> None:
    (tmp_path / "no.txt").write_text("no", encoding="utf-8")
    url = f"rtsp://127.0.0.1:1/a'\nfile '{tmp_path}/no.txt"

    assert Stream(url, transport="udp").script.count("\nfile ") == 1
    assert "\noption rtsp_transport udp\n" in Stream(url, transport="udp").script
    assert "Connection refused" in failure(url).message


def test_a_password_that_ffmpeg_would_cut_off_is_refused() -> None:
    with pytest.raises(Unsupported, match="have 207 characters as a part of a URL, ffmpeg takes 127"):
        Decoded(Stream("rtsp://127.0.0.1/live", USER, Secret("p" * 200)), LIMIT)


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"url": "10.0.0.9/video"}, "is no URL of a camera: write rtsp://ADDRESS/PATH"),
        ({"url": "http://10.0.0.9/video"}, "is no URL of a camera: write rtsp://ADDRESS/PATH"),
        ({"url": "rtsp://me:secret@10.0.0.9/"}, "who one is does not belong into a URL"),
        ({"url": "rtsp://10.0.0.9/", "password": "p"}, "whose is it?"),
    ],
)
def test_what_cannot_be_is_refused_before_the_run(options: dict[str, str], wrong: str) -> None:
    found = list(Rtsp.misfits(options))

    assert [wrong in each.message for each in found] == [True]
