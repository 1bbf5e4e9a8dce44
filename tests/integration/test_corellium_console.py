"""The console of a virtual device of Corellium: a WebSocket with a real shell behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from support.corellium import Corellium
from support.corellium_driver import LIMIT, Driven, become
from support.plain_context import PlainContext

from runner.api import (
    LabError,
    Unreachable,
)
from runner.console import Chunk
from runner.modules.corellium.corellium import Corellium as Driver
from runner.modules.corellium.parts import CloudConsole

pytestmark = pytest.mark.peer("bash")


class Heard(CloudConsole):
    """A console that is read from now on, and keeps what it hears."""

    def __init__(self, driver: Driver) -> None:
        super().__init__(driver, driver.settings)
        self.raw = bytearray()
        self.gaps: list[str] = []
        self.back = threading.Event()
        self.start(self._note, "board.console")

    def _note(self, chunk: Chunk) -> None:
        self.raw += chunk.data
        if chunk.gap:
            self.gaps.append(chunk.gap)
        if chunk.gap.startswith("open again"):
            self.back.set()


@pytest.fixture
def heard() -> Iterator[Callable[[Driver], Heard]]:
    with ExitStack() as stack:

        def made(driver: Driver) -> Heard:
            console = Heard(driver)
            stack.callback(console.stop)
            return console

        yield made


def printed(console: CloudConsole, command: str) -> str:
    return console.run(command, PlainContext(), timeout=LIMIT).output


def test_commands_run_at_its_console_through_all_its_lives(
    corellium: Corellium, driven: Driven, heard: Callable[[Driver], Heard]
) -> None:
    driver = driven()
    console = heard(driver)

    become(driver, "running", console)
    assert printed(console, "echo $((6 * 7))") == "42"
    become(driver, "reset", console)
    assert printed(console, "echo $((6 * 8))") == "48"
    become(driver, "stopped", console)
    become(driver, "running", console)

    assert printed(console, "echo $((6 * 9))") == "54"
    assert console.raw.count(b"booted") == 3
    assert console.gaps == []
    assert next(each.line for each in corellium.asked if "console" in each.path).endswith(
        "/console?type=1-cons"
    )
    assert all("Authorization" not in each for each in corellium.consoles.connected)


def test_a_console_that_ends_with_the_device_is_no_fault(
    corellium: Corellium, driven: Driven, heard: Callable[[Driver], Heard]
) -> None:
    corellium.add("nightly", "on")
    driver = driven()
    console = heard(driver)
    printed(console, "true")
    corellium.looks = 60

    become(driver, "stopped", console, graceful=False)

    assert console.gaps == []


def test_a_console_of_a_device_that_is_on_is_there_at_once(
    corellium: Corellium, driven: Driven, heard: Callable[[Driver], Heard]
) -> None:
    corellium.add("nightly", "on")

    assert printed(heard(driven()), "echo $((6 * 7))") == "42"
    assert corellium.lines == []


def test_a_console_that_is_closed_in_the_middle_is_opened_by_a_new_url(
    corellium: Corellium, driven: Driven, heard: Callable[[Driver], Heard]
) -> None:
    corellium.add("nightly", "on")
    console = heard(driven())
    printed(console, "true")

    corellium.consoles.hang_up()

    assert console.back.wait(30)
    assert printed(console, "echo $((6 * 7))") == "42"
    assert console.gaps[0].startswith("lost: console 'port-1-cons' at ws://127.0.0.1:")
    assert "once-" not in "".join(console.gaps)


def test_a_console_that_is_refused_is_unreachable_and_its_url_is_not_told(
    corellium: Corellium, driven: Driven, heard: Callable[[Driver], Heard]
) -> None:
    corellium.add("nightly", "on")
    corellium.consoles.refuses = True
    driver = driven()

    with pytest.raises(
        Unreachable, match=r"^console 'port-1-cons' at ws://127\.0\.0\.1:\d+: .*403"
    ) as caught:
        heard(driver)
    assert "once-" not in f"{caught.value} {caught.value.evidence}"


def test_one_of_several_consoles_has_to_be_named(corellium: Corellium, driven: Driven) -> None:
    corellium.add("nightly", "on")

    with pytest.raises(LabError, match="instance 'nightly' has 2 consoles, and none is named") as caught:
        driven(console_name="").console().connect()
    assert caught.value.hint == (
        "name it with 'console_name': 'Primary Compute Non-Secure', 'Primary Compute Secure'"
    )
