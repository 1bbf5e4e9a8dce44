"""The console at a real U-Boot, in QEMU."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.shells import UbootConsole

from runner.api import Duration, Failed, TimedOut
from runner.console import Interrupt

pytestmark = pytest.mark.peer("qemu")

LIMIT = Duration("60s")


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UbootConsole]:
    with UbootConsole.at_its_prompt(tmp_path_factory.mktemp("uboot")) as console:
        yield console


@pytest.mark.parametrize("mode", ["prompt", "flood", "both"])
@pytest.mark.parametrize("keys", ["\x03", "\x1b", " "])
def test_autoboot_is_interrupted(tmp_path: Path, mode: str, keys: str) -> None:
    console = UbootConsole(tmp_path)
    console.start(console.record, "uboot")
    console.power_mark()

    entered = console.enter_uboot(
        console.context,
        within=LIMIT,
        interrupt_by=Interrupt(mode=mode, keys=keys),  # type: ignore[arg-type]
    )

    assert entered.hush
    assert entered.version.startswith("U-Boot 20")
    assert entered.boot.first_byte is not None
    assert entered.boot.prompt is not None
    assert entered.boot.first_byte < entered.boot.prompt <= entered.elapsed
    assert console.run_uboot("echo hello", console.context, timeout=LIMIT).output == "hello"
    console.stop()
    console.power_off()


@pytest.mark.parametrize(
    ("command", "words", "status"),
    [
        ("version", "U-Boot 20", 0),
        ("printenv nosuch", '## Error: "nosuch" not defined', 1),
        ("badcmd", "Unknown command 'badcmd'", 1),
        ("crc32 40000000 100", "==> ", 0),
        ("saveenv", "Failed (1)", 1),
        ("echo one; false", "one", 1),
        ("if true; then echo yes; fi", "yes", 0),
    ],
)
def test_output_and_status_are_those_of_the_command(
    at: UbootConsole, command: str, words: str, status: int
) -> None:
    ran = at.run_uboot(command, at.context, timeout=LIMIT)

    assert words in ran.output
    assert (ran.status, ran.resent) == (status, 0)


@pytest.mark.parametrize(
    "value",
    [
        "simple",
        "it's",
        "a  b;c",
        "$x ${y}",
        '"quoted"',
        "back\\slash",
        "two\nlines\n\nmore",
        "# no comment",
        "é",
        " ",
    ],
)
def test_a_variable_keeps_its_value(at: UbootConsole, value: str) -> None:
    at.set_env("zz", value, at.context, timeout=LIMIT)

    assert at.get_env("zz", at.context, timeout=LIMIT) == value


def test_a_variable_can_be_deleted(at: UbootConsole) -> None:
    at.set_env("zz", "there", at.context, timeout=LIMIT)
    at.set_env("zz", None, at.context, timeout=LIMIT)

    assert at.get_env("zz", at.context, timeout=LIMIT) is None


def test_a_variable_that_u_boot_protects_is_refused(at: UbootConsole) -> None:
    at.set_env("serial#", "first", at.context, timeout=LIMIT)

    with pytest.raises(Failed, match="setenv serial# ended with status 1"):
        at.set_env("serial#", "second", at.context, timeout=LIMIT)


def test_a_command_that_takes_too_long_is_interrupted(at: UbootConsole) -> None:
    with pytest.raises(TimedOut, match="Ctrl-C"):
        at.run_uboot("sleep 20", at.context, timeout=Duration("500ms"))

    assert at.run_uboot("echo alive", at.context, timeout=LIMIT).output == "alive"


@pytest.mark.parametrize("line", ["echo 'open", "setenv zz #comment", "if true"])
def test_a_line_that_does_not_come_to_its_end_is_told_soon(at: UbootConsole, line: str) -> None:
    with pytest.raises(Failed, match="did not come to the end") as caught:
        at.run_uboot(line, at.context, timeout=Duration("60s"))

    assert not isinstance(caught.value, TimedOut)
    assert at.run_uboot("echo alive", at.context, timeout=LIMIT).output == "alive"
