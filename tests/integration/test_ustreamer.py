"""ustreamer: the program itself, without a camera, and a server that tells times as it does."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.camera import Camera, jpeg, served
from support.command import wait_until
from support.plain_context import PlainContext
from support.processes import named, wait_until_gone

from runner.api import Duration, LabError, Unreachable
from runner.modules.video.ustreamer import Ustreamer

LIMIT = Duration("60s")
REAL = pytest.mark.peer("ustreamer")


def opened(**options: object) -> Ustreamer:
    driver = Ustreamer(**{"limit": LIMIT, **options})
    driver.open()
    return driver


@pytest.fixture
def camera() -> Iterator[Camera]:
    with served(Camera()) as it:
        it.online, it.ages = [True], [1.0, 1.0, -0.001]
        yield it


@REAL
def test_without_a_camera_it_is_offline_and_shows_that(tmp_path: Path) -> None:
    with closing(opened(options={"device": str(tmp_path / "none")})) as driver:
        state = driver.state(PlainContext())
        frame = driver.snapshot(PlainContext())

    assert not state.online
    assert (state.width, state.height, state.fps) == (640, 480, 0)
    assert (state.encoder, state.quality) == ("CPU", 80)
    assert frame.online is False
    assert frame.jpeg.startswith(b"\xff\xd8")


@REAL
def test_it_ends_with_the_driver(tmp_path: Path) -> None:
    driver = opened(options={"device": str(tmp_path / "none")})
    (process,) = named(os.getpid(), "ustreamer")
    folder = Path(driver.address().to).parent
    driver.close()

    wait_until_gone(process)
    assert not folder.exists()


@REAL
def test_that_it_has_ended_is_told_with_its_last_words(tmp_path: Path) -> None:
    with closing(opened(options={"device": str(tmp_path / "none")})) as driver:
        (process,) = named(os.getpid(), "ustreamer")
        said = Path(driver.address().to).with_name("said")
        wait_until(lambda: b"Can't access device" in said.read_bytes(), "it looks for its camera")
        os.kill(process, signal.SIGKILL)
        wait_until_gone(process)
        with pytest.raises(
            LabError, match="ustreamer has ended by itself .ended by signal SIGKILL.: "
        ) as caught:
            driver.snapshot(PlainContext())

    assert "Can't access device" in str(caught.value.evidence["stderr"])


@REAL
def test_an_option_that_it_does_not_know_is_told_in_its_words() -> None:
    with pytest.raises(LabError, match="exit status 1.: .*unrecognized option '--no-such'"):
        opened(options={"no-such": None})


def test_a_program_that_is_not_there_is_named_with_its_package() -> None:
    with pytest.raises(Unreachable, match="cannot start 'no-ustreamer'") as caught:
        opened(executable="no-ustreamer")

    assert "apt install ustreamer" in caught.value.hint


def test_a_program_that_never_listens_is_given_up(tmp_path: Path) -> None:
    program = tmp_path / "sleeps"
    program.write_text("#!/bin/sh\nexec sleep 600\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(LabError, match="does not listen within 0.3s: it said nothing") as caught:
        opened(executable=str(program), limit=Duration("300ms"))

    assert "'limit'" in caught.value.hint
    assert not named(os.getpid(), "sleep")


def test_a_picture_of_before_is_not_taken(camera: Camera) -> None:
    with closing(opened(url=camera.url)) as driver:
        frame = driver.snapshot(PlainContext())

    assert frame.online
    assert camera.asked == ["/snapshot"] * 3
    assert camera.connections == 1


def test_a_camera_that_hangs_gives_no_new_picture(camera: Camera) -> None:
    camera.ages = [5.0]
    with closing(opened(url=camera.url)) as driver:
        driver.limit = Duration("300ms")  # of a picture; the connection, which is there, keeps its own
        with pytest.raises(Unreachable, match="no new picture within 300ms"):
            driver.snapshot(PlainContext())


def test_newer_versions_tell_the_time_by_another_name(camera: Camera) -> None:
    camera.grab_header = "X-UStreamer-Grab-Begin-Timestamp"
    with closing(opened(url=camera.url)) as driver:
        driver.snapshot(PlainContext())

    assert len(camera.asked) == 3


def test_what_is_not_ustreamer_is_told(camera: Camera) -> None:
    camera.online = []
    with closing(opened(url=camera.url)) as driver:
        with pytest.raises(LabError, match="/snapshot is not ustreamer's"):
            driver.snapshot(PlainContext())
        with pytest.raises(LabError, match="/state does not tell a state of ustreamer: KeyError"):
            driver.state(PlainContext())


def test_a_signal_that_goes_is_told_at_once(camera: Camera) -> None:
    camera.online = [True, False]
    camera.ages = [1.0]
    camera.show(jpeg((0, 0, 0)))
    with closing(opened(url=camera.url)) as driver:
        assert driver.snapshot(PlainContext()).online is False


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"options": {"unix": "/tmp/a"}}, "is set by the driver"),
        ({"options": {"passwd": "a"}}, "would show in the list of processes"),
        ({"options": {"--persistent": None}}, "is no long name of an option"),
        ({"options": {"quality": 50}, "url": "http://10.0.0.7:8080"}, "runs already"),
        ({"url": "http://10.0.0.7:8080/stream"}, "only the server's address"),
        ({"url": "10.0.0.7"}, "is no URL of a camera"),
    ],
)
def test_options_that_cannot_be_are_refused_before_the_run(options: dict[str, object], wrong: str) -> None:
    assert [wrong in each.message for each in Ustreamer.misfits({"options": {}, "url": "", **options})] == [
        True
    ]
