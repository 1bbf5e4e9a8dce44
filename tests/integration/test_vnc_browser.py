"""noVNC's page in a real browser, with the screen and the keyboard of a real machine."""

from __future__ import annotations

import contextlib
import io
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from support.browser import Page, chromium, origin
from support.cable import machine as network
from support.command import started, wait_until
from support.context import StepContext
from support.machines import READY, Line, line, machine, typist
from support.ssh_lab import inventory
from support.ssh_server import ssh_server

from runner.api import Duration
from runner.modules.machine.options import Screen
from runner.modules.machine.qemu import Qemu
from runner.modules.vnc.vnc import Vnc
from runner.modules.vnc.vnc_screenshot import VncScreenshot
from runner.modules.vnc.vnc_url import PageServed, VncUrl

pytestmark = [pytest.mark.peer("qemu pc"), pytest.mark.peer("chromium"), pytest.mark.peer("novnc")]
LOOK = """
tests:
  - test: look
    steps:
      - power_on:
      - expect_console: {pattern: R, within: 60s}
      - vnc_url:
        register: screen
      - port_forward: "{{ screen.port }}"
        register: here
      - log: "look at http://{{ here.address }}/{{ screen.path }}"
      - expect_console: {pattern: Hello, within: 60s}
      - vm: paused
      - vnc_screenshot: {to: shot.png}
      - command: [sh, -c, "while [ ! -e 'FOLDER/go' ]; do sleep 0.02; done"]
"""
CONNECTED = "document.documentElement.classList.contains('noVNC_connected')"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], AbstractContextManager[Page]]]:
    with chromium(tmp_path_factory.mktemp("chromium")) as tab:
        yield tab


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Qemu, Line]]:
    """A machine that shows the keys it is given, and says them on its serial port."""
    with (
        machine(arguments=typist(tmp_path_factory.mktemp("typist")), screen=Screen()) as pc,
        line(pc) as serial,
    ):
        pc.start()
        serial.wait_for(READY)
        yield pc, serial


@contextlib.contextmanager
def served(pc: Qemu) -> Iterator[tuple[Vnc, PageServed]]:
    driver = Vnc(path=pc.info().vnc)
    driver.open()
    try:
        yield driver, VncUrl(display=driver).run(StepContext())
    finally:
        driver.close()


def pixels(png: bytes) -> tuple[Any, bytes]:
    """Return width and height, and red, green and blue of each."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as picture:
        return picture.size, picture.convert("RGB").tobytes()


def screen(pc: Qemu, driver: Vnc) -> bytes:
    context = StepContext(display="screen")
    VncScreenshot(display=driver, timeout=Duration("60s")).run(context)
    return context.artifacts["screen.png"]


def test_the_page_shows_the_screen_and_types_on_it_and_asks_nobody_else(
    browser: Callable[[], AbstractContextManager[Page]], typed: tuple[Qemu, Line]
) -> None:
    pc, serial = typed
    with served(pc) as (driver, there), browser() as page:
        page.open(there.url, CONNECTED)
        page.type("Xy7\r")
        serial.wait_for(b"Xy7\r")
        pc.pause()  # so that no cursor blinks between the two
        try:
            expected = pixels(screen(pc, driver))
            wait_until(lambda: pixels(page.picture()) == expected, "the picture of the machine", 60)
        finally:
            pc.start()
        asked = page.asked()

        assert [each for each in page.faults() if "/package.json" not in each] == []  # Debian has none
        assert {origin(each) for each in asked} == {f"{there.host}:{there.port}"}
        assert {f"ws://{there.host}:{there.port}/websockify", there.url} <= asked
        assert len(set(expected[1])) > 1


def test_closing_ends_the_connection_of_the_page_and_nobody_listens_any_more(
    browser: Callable[[], AbstractContextManager[Page]], typed: tuple[Qemu, Line]
) -> None:
    pc, _ = typed

    def clients() -> int:
        return len(pc.monitor("query-vnc", {})["clients"])  # type: ignore[index,call-overload,arg-type]

    with browser() as page:
        with served(pc) as (_, there):
            page.open(there.url, CONNECTED)
            wait_until(lambda: clients() == 1, "the page alone is its client")
        page.wait_for(f"!{CONNECTED}")
        wait_until(lambda: clients() == 0, "the machine has lost its client")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((there.host, there.port))


@pytest.mark.peer("sshd")
@pytest.mark.peer("netns")
def test_the_screen_of_a_machine_in_a_lab_is_seen_at_the_desk_as_long_as_the_play_goes_on(
    browser: Callable[[], AbstractContextManager[Page]], tmp_path: Path
) -> None:
    board = {
        "driver": "qemu",
        "arch": "x86_64",
        "machine": "pc",
        "memory": "32MiB",
        "network": None,
        "screen": {},
        "arguments": typist(tmp_path),
    }
    (tmp_path / "look.yaml").write_text(LOOK.replace("FOLDER", str(tmp_path)), encoding="utf-8")
    shot = tmp_path / "shot.png"
    with (
        network(8) as far,
        ssh_server(tmp_path / "shelf", address=far.address, inside=far.inside) as server,
        browser() as page,
    ):
        lab = inventory(
            tmp_path, {"shelf": server.options()}, {"pc": {"host": "shelf", "devices": {"pc": board}}}
        )
        with started(tmp_path, "play", "look.yaml", "-i", lab, "-v") as process:
            url = said(process, r"info pc: look at (http://\S+)")
            page.open(url, CONNECTED)
            page.type("Hello")
            wait_until(lambda: shot.exists() or process.poll() is not None, "it has seen what was typed", 60)
            expected = pixels(shot.read_bytes())
            wait_until(lambda: pixels(page.picture()) == expected, "the picture of the machine", 60)
            asked = page.asked()
            (tmp_path / "go").touch()
            page.wait_for(f"!{CONNECTED}")
            rest, complaints = process.communicate(timeout=60)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((urlsplit(url).hostname or "", urlsplit(url).port or 0))

    assert process.returncode == 0, rest + complaints
    assert {origin(each) for each in asked} == {origin(url)}


def said(process: subprocess.Popen[str], pattern: str) -> str:
    """Read on until a line has this, and return the group in it."""
    assert process.stdout is not None
    assert process.stderr is not None
    heard = ""
    for each in process.stdout:
        heard += each
        if found := re.search(pattern, each):
            return found[1]
    raise AssertionError(heard + process.stderr.read())
