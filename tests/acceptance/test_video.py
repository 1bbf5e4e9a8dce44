"""Screens, as a person checks them: recipes on a simulated camera, and ustreamer's stream brought here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.camera import encoded, jpeg, screen
from support.command import runner
from support.reports import Report
from support.rtsp_camera import PASSWORD, USER, rtsp_camera

RECIPE = """\
name: Screens
benches: desk
tests:
  - test: the desktop comes up
    steps:
      - video_record: {file: boot.avi, duration: 600s, frames: 5}
        background: film
      - image_expect: {reference: refs/desktop.png, tolerance: 4, within: 60s, interval: 10ms}
        expect: result.attempts >= 2
        measure: {distance: {value: result.distance, max: 4}}
      - video_snapshot: {path: now.png, crop: [0, 0, 320, 24]}
        register: now
      - image_compare: {a: "{{ now.path }}", b: refs/desktop.png, region: [0, 0, 320, 24]}
        expect: result.distance <= 4
      - join: film
  - test: it is not the menu
    steps:
      - image_expect: refs/menu.png
"""


def test_a_screen_is_checked_and_what_was_seen_is_in_the_report(tmp_path: Path) -> None:
    (tmp_path / "refs").mkdir()
    screen("desktop").save(tmp_path / "refs/desktop.png")
    screen("menu").rotate(180).save(tmp_path / "refs/menu.png")
    (tmp_path / "black.jpg").write_bytes(jpeg((0, 0, 0), 320, 240))
    (tmp_path / "desktop.jpg").write_bytes(encoded(screen("desktop")))
    # each picture is the next one, and the film has five of them at most: the step looks at one again
    camera = {"driver": "pictures", "files": [*["black.jpg"] * 7, "desktop.jpg"]}
    lab = {"benches": {"desk": {"devices": {"screen": camera}}}}
    (tmp_path / "lab.yaml").write_text(json.dumps(lab), encoding="utf-8")
    (tmp_path / "r.yaml").write_text(RECIPE, encoding="utf-8")
    done = runner(tmp_path, "play", "-i", "lab.yaml", "r.yaml")

    report = Report(tmp_path / "results" / "latest")
    assert done.returncode == 1, done.stdout + done.stderr
    assert report.outcomes == {"the desktop comes up": "passed", "it is not the menu": "failed"}
    assert "differs by " in done.stdout
    names = {each.name.partition("-")[2].partition("-")[2] for each in _artifacts(report, "menu-*")}
    assert names == {"actual.jpg", "reference.png", "side-by-side.png"}
    page = (report.folder / "report.html").read_text(encoding="utf-8")
    assert all(f'href="./artifacts/desk/{each.name}"' in page for each in _artifacts(report, "menu-*"))
    assert (report.folder / "artifacts/desk/boot.avi").read_bytes().startswith(b"RIFF")


def _artifacts(report: Report, names: str) -> list[Path]:
    return list((report.folder / "artifacts/desk").glob(names))


STREAM = """\
name: Watch
benches: desk
tests:
  - test: the stream is here
    steps:
      - video_state: {expect: {online: false}}
      - video_stream:
        register: stream
      - port_forward: "{{ stream.to }}"
        register: web
      - command: curl --silent --no-buffer 'http://{{ web.address }}{{ stream.path }}' | head -c 20
        expect: result.stdout is search('--boundary')
"""


NETWORK_CAMERA = """\
name: A camera of the network
benches: desk
tests:
  - test: it is as good as any other
    steps:
      - video_state: {expect: {online: true, width: 640, height: 480, min_fps: 1}, within: 60s}
      - video_snapshot: {path: seen.png}
        register: seen
      - video_record: {file: film.avi, duration: 600s, frames: 3}
      - image_expect: {reference: "{{ seen.path }}", tolerance: 8, within: 60s}
      - video_stream:
        register: stream
        expect: stream.url.endswith('/h264') and stream.scheme == 'rtsp'
      - port_forward: "{{ stream.to }}"
        register: port
      - command: ffmpeg -v error -rtsp_transport tcp -i rtsp://{{ port.address }}{{ stream.path }} -f null - 2>&1 | cat
        expect: "'401 Unauthorized' in result.stdout"
"""


@pytest.mark.peer("ffmpeg")
@pytest.mark.peer("rtsp server")
def test_a_network_camera_does_all_that_cameras_do_and_its_password_stays_secret(tmp_path: Path) -> None:
    with rtsp_camera() as server:
        camera = (
            f"{{driver: rtsp, url: '{server.basic}/h264', user: {USER}, password: !env PASSWORD, limit: 60s}}"
        )
        (tmp_path / "lab.yaml").write_text(
            f"benches: {{desk: {{devices: {{screen: {camera}}}}}}}", encoding="utf-8"
        )
        (tmp_path / "r.yaml").write_text(NETWORK_CAMERA, encoding="utf-8")
        done = runner(tmp_path, "play", "-i", "lab.yaml", "r.yaml", PASSWORD=PASSWORD)

    report = Report(tmp_path / "results" / "latest")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (report.folder / "artifacts/desk/film.avi").read_bytes().startswith(b"RIFF")
    assert all("sesame" not in each.read_text("utf-8", "replace") for each in report.folder.glob("*.*"))


@pytest.mark.peer("ustreamer")
@pytest.mark.peer("curl")
def test_a_stream_on_a_socket_of_the_host_is_watched_here(tmp_path: Path) -> None:
    camera = {"driver": "ustreamer", "options": {"device": str(tmp_path / "none")}}
    lab = {"benches": {"desk": {"devices": {"screen": camera}}}}
    (tmp_path / "lab.yaml").write_text(json.dumps(lab), encoding="utf-8")
    (tmp_path / "r.yaml").write_text(STREAM, encoding="utf-8")
    done = runner(tmp_path, "play", "-i", "lab.yaml", "r.yaml")

    assert done.returncode == 0, done.stdout + done.stderr
