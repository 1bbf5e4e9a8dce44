"""noVNC's page in a real browser, with the screen and the keyboard of a real machine."""

from __future__ import annotations

import contextlib
import io
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from support.browser import Page, chromium, origin
from support.command import wait_until
from support.context import StepContext
from support.machines import READY, Line, line, machine, typist

from runner.api import Duration
from runner.modules.machine.options import Screen
from runner.modules.machine.qemu import Qemu
from runner.modules.vnc.vnc import Vnc
from runner.modules.vnc.vnc_screenshot import VncScreenshot
from runner.modules.vnc.vnc_url import PageServed, VncUrl

pytestmark = [pytest.mark.peer("qemu pc"), pytest.mark.peer("chromium"), pytest.mark.peer("novnc")]
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
        page.open(there.url)
        page.wait_for(CONNECTED)
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
            page.open(there.url)
            page.wait_for(CONNECTED)
            assert clients() == 1
        page.wait_for(f"!{CONNECTED}")
        wait_until(lambda: clients() == 0, "the machine has lost its client")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((there.host, there.port))
