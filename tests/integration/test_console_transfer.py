"""XMODEM and YMODEM to real receivers: lrzsz behind a shell on a pty, and U-Boot in QEMU."""

from __future__ import annotations

import random
import subprocess
import termios
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.context import StepContext
from support.peers import UBOOT
from support.plain_context import PlainContext
from support.processes import named
from support.shells import Port, PtyConsole, UbootConsole
from support.speed_line import SpeedLine

from runner.api import Cancelled, Context, Duration, Failed, FilePath, LabError, RecipeFault, Unsupported
from runner.console import Console, Ran, Sender, Stream
from runner.modules.console.console_put import ConsolePut
from runner.modules.console.serial import Serial
from runner.modules.console.serial_config import SerialConfig
from runner.modules.uboot.uboot_load import Loaded, UbootLoad

LIMIT = Duration("60s")
CONTENT = bytes(range(256)) * 20 + random.Random(7).randbytes(3_000) + b"end\x1a\x1a\x1a"
LRZSZ = pytest.mark.peer("lrzsz")


@pytest.fixture
def dash() -> Iterator[PtyConsole]:
    console = PtyConsole("dash")
    console.start(console.record, "pty")
    console.run("true", console.context, timeout=LIMIT)
    yield console
    console.stop()
    console.end()


def sent(console: PtyConsole, command: str, sender: Sender, context: Context | None = None) -> Ran:
    return console.converse(
        command, sender, context or console.context, total=len(CONTENT), timeout=LIMIT, at="shell"
    )


def program(folder: Path, text: str) -> str:
    """Write a program that plays a receiver."""
    path = folder / "receiver"
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@LRZSZ
@pytest.mark.parametrize("command", ["rx", "rx -c", "rb -y"])
def test_lrzsz_receives_again_and_again_without_a_block_sent_twice(
    dash: PtyConsole, tmp_path: Path, command: str
) -> None:
    dash.run(f"cd {tmp_path}", dash.context, timeout=LIMIT)
    for number in range(3):
        name = f"file{number}"
        sender = Sender(CONTENT, large=number == 1, name=name if command == "rb -y" else "")

        ran = sent(dash, command if command == "rb -y" else f"{command} {name}", sender)

        arrived = (tmp_path / name).read_bytes()
        assert arrived[: len(CONTENT)] == CONTENT
        assert not arrived[len(CONTENT) :].strip(b"\x1a")
        assert (ran.status, sender.moved) == (0, len(CONTENT))
        assert ran.elapsed < 12  # an answer that came too early, or got lost, costs lrzsz 5 to 13 s
    assert dash.run("echo alive", dash.context, timeout=LIMIT).output == "alive"


@LRZSZ
def test_console_put_sends_by_xmodem_what_it_is_and_nothing_more(dash: PtyConsole, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "it's there"
    here.write_bytes(CONTENT)
    context = StepContext()

    put = ConsolePut(file=FilePath(here), to=str(there), method="xmodem", mode="600", console=dash).run(
        context
    )

    assert there.read_bytes() == CONTENT
    assert (put.method, put.verified_by) == ("xmodem", "sha256sum")
    assert there.stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["here", "it's there"]
    assert context.shown[-1] == (len(CONTENT), len(CONTENT))
    ConsolePut(text="", to=str(there), method="xmodem", console=dash).run(context)
    assert there.read_bytes() == b""


def test_a_program_that_ends_at_once_is_noticed_with_its_words(dash: PtyConsole, tmp_path: Path) -> None:
    refuses = program(tmp_path, "echo 'cannot open the file' >&2; exit 3")

    began = time.monotonic()

    with pytest.raises(Failed, match="ended with status 3 before the transfer: cannot open the file"):
        sent(dash, refuses, Sender(CONTENT))
    assert time.monotonic() - began < 40  # a sender waits a minute
    assert dash.run("echo alive", dash.context, timeout=LIMIT).output == "alive"


def test_a_program_that_ends_in_the_middle_is_noticed_and_the_shell_lives(
    dash: PtyConsole, tmp_path: Path
) -> None:
    leaves = program(
        tmp_path, r"stty raw; printf C; head -c 133 >/dev/null; printf '\006'; stty sane; stty -echo; exit 0"
    )

    with pytest.raises(LabError, match="the program at the other end has ended before the transfer"):
        sent(dash, leaves, Sender(CONTENT))
    assert dash.run("echo alive", dash.context, timeout=LIMIT).output == "alive"


def test_a_receiver_that_cancels_is_believed(dash: PtyConsole, tmp_path: Path) -> None:
    cancels = program(
        tmp_path,
        r"stty raw; printf '\025'; head -c 132 >/dev/null; printf '\030\030'; stty sane -echo; exit 0",
    )

    with pytest.raises(LabError, match="the other side has cancelled"):
        sent(dash, cancels, Sender(CONTENT))
    assert dash.run("echo alive", dash.context, timeout=LIMIT).output == "alive"


class StopsAfter(PlainContext):
    """Is cancelled once so many bytes have been sent; notes the speeds of a line meanwhile."""

    def __init__(self, count: int, line: SpeedLine | None = None) -> None:
        super().__init__()
        self._count = count
        self._line = line
        self.speeds: set[tuple[int, int]] = set()

    def progress(self, done: float, total: float | None = None, unit: str = "B") -> None:
        del total, unit
        if self._line is not None:
            self.speeds.add(self._line.speeds())
        if done >= self._count:
            self.cancel()


@LRZSZ
def test_a_cancel_ends_the_receiver_too(dash: PtyConsole, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        sent(dash, f"rx {tmp_path}/cut", Sender(CONTENT), StopsAfter(1000))

    assert dash.run("echo alive", PlainContext(), timeout=LIMIT).output == "alive"
    assert named(dash.process, "rx") == []


@pytest.fixture(scope="module")
def uboot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UbootConsole]:
    with UbootConsole.at_its_prompt(tmp_path_factory.mktemp("uboot")) as console:
        yield console


@pytest.fixture
def image(tmp_path: Path) -> FilePath:
    path = tmp_path / "u-boot.bin"
    path.write_bytes(CONTENT)
    return FilePath(path)


def load(console: Console, image: FilePath, **options: object) -> tuple[Loaded, StepContext]:
    context = StepContext()
    given = {"address": "0x42000000", **options}
    return UbootLoad(image=image, console=console, **given).run(context), context  # type: ignore[arg-type]


@pytest.mark.peer("qemu")
@pytest.mark.parametrize("method", ["auto", "ymodem", "xmodem"])
def test_u_boot_takes_an_image_over_the_line_and_it_is_compared(
    uboot: UbootConsole, image: FilePath, method: str
) -> None:
    loaded, context = load(uboot, image, method=method, crc32=zlib.crc32(CONTENT))

    assert (loaded.size, loaded.crc32) == (len(CONTENT), f"{zlib.crc32(CONTENT):08x}")
    assert loaded.method == ("xmodem" if method == "xmodem" else "ymodem")
    assert loaded.resent == 0
    assert loaded.elapsed < 30
    assert uboot.get_env("filesize", uboot.context, timeout=LIMIT) == f"{len(CONTENT):x}"
    assert context.shown[-1] == (len(CONTENT), len(CONTENT))
    assert not context.said


@pytest.mark.peer("qemu")
def test_what_is_wrong_with_an_image_is_said_before_anything_is_sent(
    uboot: UbootConsole, image: FilePath, tmp_path: Path
) -> None:
    before = len(uboot.raw)

    with pytest.raises(Failed, match="expected 12345678; nothing was sent"):
        load(uboot, image, crc32="12345678")
    with pytest.raises(RecipeFault, match="cannot read"):
        load(uboot, FilePath(tmp_path / "missing"))
    assert len(uboot.raw) == before
    with pytest.raises(Unsupported, match="this console has no speed"):
        load(uboot, image, baudrate=9600)


@pytest.mark.peer("qemu")
def test_a_damaged_block_is_sent_to_u_boot_again(image: FilePath, tmp_path: Path) -> None:
    console = Hurting(tmp_path)
    console.start(console.record, "uboot")
    console.power_mark()
    try:
        console.enter_uboot(console.context, within=LIMIT)

        loaded, _ = load(console, image)

        assert loaded.crc32 == f"{zlib.crc32(CONTENT):08x}"
        assert (loaded.resent, console.port.hurt) == (1, 1)
    finally:
        console.stop()
        console.power_off()


class HurtingPort(Port):
    """Damages the third block that is sent."""

    hurt = 0

    def write(self, data: bytes) -> None:
        if data[:2] == b"\x02\x03" and not self.hurt:
            self.hurt += 1
            data = data[:500] + b"?" + data[501:]
        super().write(data)


class Hurting(UbootConsole):
    """U-Boot behind such a port."""

    def connect(self) -> Stream:
        super().connect()
        self.port = HurtingPort(self._socket.fileno())
        return self.port


@pytest.mark.peer("qemu")
@pytest.mark.parametrize("command", ["loady 42000000", "loadx 42000000"])
def test_a_cancel_leaves_u_boot_at_its_prompt(uboot: UbootConsole, command: str) -> None:
    name = "u-boot.bin" if command.startswith("loady") else ""
    with pytest.raises(Cancelled):
        uboot.converse(
            command,
            Sender(CONTENT, large=True, name=name),
            StopsAfter(2000),
            total=len(CONTENT),
            timeout=LIMIT,
            at="uboot",
        )

    ran = uboot.run_uboot("echo alive", PlainContext(), timeout=Duration("15s"))
    assert (ran.output, ran.status) == ("alive", 0)


@pytest.fixture
def on_a_line() -> Iterator[tuple[Serial, SpeedLine]]:
    """U-Boot on x86 at the other end of a line; QEMU's PL011 of the ARM boards hears nothing after a change."""
    line = SpeedLine()
    rom = UBOOT.parents[1] / "qemu-x86" / "u-boot.rom"
    command = (
        f"qemu-system-i386 -accel tcg -M pc -m 256 -display none -nic none -bios {rom} -serial {line.theirs}"
    )
    machine = subprocess.Popen(command.split())
    console = Serial(port=line.ours)
    console.start(lambda _chunk: None, "uart")
    console.power_mark()
    try:
        console.enter_uboot(PlainContext(), within=LIMIT)
        yield console, line
    finally:
        console.stop()
        machine.kill()
        machine.wait()
        line.close()


@pytest.mark.peer("uboot x86")
def test_both_ends_go_to_another_speed_for_an_image_and_back_also_after_a_cancel(
    on_a_line: tuple[Serial, SpeedLine], image: FilePath
) -> None:
    console, line = on_a_line
    assert line.speeds() == (termios.B115200, termios.B115200)

    loaded, _ = load(console, image, baudrate=57600, address="0x02000000")

    assert loaded.crc32 == f"{zlib.crc32(CONTENT):08x}"
    assert line.speeds() == (termios.B115200, termios.B115200)
    context = StopsAfter(2000, line)
    with pytest.raises(Cancelled):
        UbootLoad(image=image, address="0x02000000", baudrate=57600, console=console).run(context)
    assert context.speeds == {(termios.B57600, termios.B57600)}
    assert console.run_uboot("echo alive", PlainContext(), timeout=Duration("15s")).output == "alive"


@pytest.mark.peer("uboot x86")
def test_a_speed_change_is_followed_by_u_boot_and_both_stay_there(
    on_a_line: tuple[Serial, SpeedLine],
) -> None:
    console, line = on_a_line

    changed = SerialConfig(baudrate=57600, follow="uboot", within=LIMIT, console=console).run(StepContext())

    assert (changed.before.baudrate, changed.now.baudrate) == (115200, 57600)
    assert line.speeds() == (termios.B57600, termios.B57600)
    assert console.run_uboot("echo alive", PlainContext(), timeout=LIMIT).output == "alive"


@pytest.mark.peer("qemu")
def test_a_u_boot_without_the_command_says_so_at_once(uboot: UbootConsole) -> None:
    with pytest.raises(Failed, match="Unknown command 'loadq'"):
        uboot.converse("loadq 0", Sender(CONTENT), PlainContext(), total=1, timeout=LIMIT, at="uboot")
