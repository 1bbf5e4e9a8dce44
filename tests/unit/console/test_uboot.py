"""Commands at U-Boot's prompt, and the way there."""

from __future__ import annotations

import pytest
from support.boards import Board, BoardConsole, LineBoard, UbootBoard

from runner.api import Duration, Failed, LabError, Secret, TimedOut
from runner.console import ConsoleSettings, Interrupt, UbootSettings

LONG = Duration("60s")
KERNEL = b"[    3.141592] usb 1-1: new device\r\n"
ANSWERS = {
    "crc32 40000000 100": ("crc32 for 40000000 ... 400000ff ==> 1234abcd\n", 0),
    "bad": ("Failed (1)\n", 1),
    "trap": ("==> 1234abcd\n=> \nmore\n", 0),
    "printenv zz": ("zz=one\ntwo\n", 0),
    "printenv none": ('## Error: "none" not defined\n', 1),
}


def console(**options: object) -> BoardConsole:
    return BoardConsole(UbootBoard(ANSWERS, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("stamp", ["", "[    1.234567] ", "[2026-11-21 07:00:00] ", "12.345 "])
@pytest.mark.parametrize(
    ("command", "output", "status"),
    [("crc32 40000000 100", "crc32 for 40000000 ... 400000ff ==> 1234abcd", 0), ("bad", "Failed (1)", 1)],
)
def test_a10_status_and_output_come_back_also_from_a_stamped_console(
    command: str, output: str, status: int, stamp: str
) -> None:
    at = console(stamp=stamp)

    ran = at.run_uboot(command, at.context, timeout=LONG)

    assert ran.output.removeprefix(stamp).split("\n")[0] == output
    assert ran.status == status


def test_a10_without_hush_the_status_is_unknown_and_the_output_complete() -> None:
    at = console(hush=False)

    ran = at.run_uboot("trap", at.context, timeout=LONG)

    assert (ran.output, ran.status) == ("==> 1234abcd\n=> \nmore", None)


def test_an_empty_line_is_never_sent() -> None:
    for hush in (True, False):
        at = console(hush=hush)
        at.run_uboot("bad", at.context, timeout=LONG)

        assert "" not in at.board.lines  # type: ignore[attr-defined]


@pytest.mark.parametrize("hush", [True, False])
def test_a01_a_kernel_message_at_every_byte_of_a_uboot_command_changes_nothing(hush: bool) -> None:
    clean = console(hush=hush)
    expected = clean.run_uboot("trap", clean.context, timeout=LONG)
    for at in range(clean.board.said):
        hit = console(hush=hush, insert=(at, KERNEL))
        ran = hit.run_uboot("trap", hit.context, timeout=LONG)

        assert (at, ran.output, ran.status, hit.context.logs) == (at, expected.output, expected.status, [])
        hit.hear()
        assert (at, hit.kernel()) == (at, KERNEL.replace(b"\r\n", b"\n"))


def test_a_frame_costs_at_most_forty_bytes_and_a_look_at_the_echo_before_enter() -> None:
    at = console()
    at.run_uboot("bad", at.context, timeout=LONG)
    typed, said, writes = len(at.board.typed), at.board.said, len(at.board.writes)

    at.run_uboot("bad", at.context, timeout=LONG)

    line, enter = at.board.writes[writes:]
    assert (line[:4], enter) == (b"bad;", b"\n")
    transferred = len(at.board.typed) - typed + at.board.said - said
    assert transferred - 2 * len("bad") - len("Failed (1)\r\n") - len("=> ") <= 40


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a04_swallowed_characters_are_noticed_before_enter(count: int) -> None:
    at = console()
    at.run_uboot("bad", at.context, timeout=LONG)
    start = len(at.board.typed)
    at.board.hurt = lambda position, key: b"" if start <= position < start + count else key

    ran = at.run_uboot("bad", at.context, timeout=LONG)

    assert (ran.status, ran.resent, len(at.context.logs)) == (1, 1, 1)
    assert all(line.startswith(("bad;", "echo }")) for line in at.board.lines)  # type: ignore[attr-defined]


def test_damage_that_stays_is_the_bench_s_fault() -> None:
    at = console()
    at.run_uboot("bad", at.context, timeout=LONG)
    at.board.hurt = lambda _at, key: b"" if key == b"b" else key

    with pytest.raises(LabError, match="does not come back"):
        at.run_uboot("bad", at.context, timeout=LONG)


def test_a_variable_of_several_lines_is_read_whole() -> None:
    at = console()

    assert at.get_env("zz", at.context, timeout=LONG) == "one\ntwo"
    assert at.get_env("none", at.context, timeout=LONG) is None


class BootingBoard(UbootBoard):
    """Boots when it is told to: SPL, banner, countdown; a wanted key in time stops it."""

    def __init__(
        self,
        *,
        delay: float = 2.0,
        text: str = "Hit any key to stop autoboot: ",
        key: bytes = b"",
        **options: object,
    ) -> None:
        super().__init__(ANSWERS, **options)  # type: ignore[arg-type]
        self.delay = delay
        self.text = text
        self.wanted = key
        self.state = "off"
        self.got = b""

    def power_on(self) -> None:
        self.state = "booting"
        self.got = b""
        self.say(b"\r\nU-Boot SPL 2023.01 (now)\r\n", after=0.3)
        self.say(b"\r\nU-Boot 2023.01 (now)\r\n\r\nDRAM: 1 GiB\r\n", after=0.5)
        self.say(self.text.encode(), after=0.8)
        self.deadline = self.now() + 0.8 + self.delay
        self.say(b"", after=0.8 + self.delay)

    def read(self, timeout: float) -> bytes:
        data = super().read(timeout)
        if self.state == "booting" and self.now() >= self.deadline and not self._waiting:
            self.state = "kernel"
            self.say(b"\r\nStarting kernel ...\r\n\r\n")
        return data

    def key(self, key: bytes) -> None:
        if self.state == "booting":
            self.got += key
            listens = self.now() >= self.deadline - self.delay - 0.3  # what was typed before is in the FIFO
            if self.got.endswith(self.wanted) if self.wanted else listens:
                self.state = "prompt"
                self._waiting.clear()
                self.say(self.text.encode() + b"0\r\n" + self.prompt, after=0.02)
        elif self.state == "prompt":
            super().key(key)


@pytest.mark.parametrize(
    ("board", "interrupt"),
    [
        ({}, Interrupt()),
        ({"delay": 0.0}, Interrupt()),
        ({"delay": 1.0}, Interrupt(mode="prompt")),
        ({"delay": 0.3, "text": ""}, Interrupt(mode="flood")),
        ({"delay": 2.0, "key": b"\x1b\x1b"}, Interrupt(keys="\x1b")),
        ({"delay": 2.0, "key": b" "}, Interrupt(mode="prompt", keys=" ")),
        (
            {"delay": 3.0, "key": b"let me in\n", "text": "Autoboot in 3 seconds"},
            Interrupt(mode="prompt", password=Secret("let me in")),
        ),
    ],
)
def test_a09_autoboot_is_interrupted_and_the_times_are_told(
    board: dict[str, object], interrupt: Interrupt
) -> None:
    booting = BootingBoard(**board)  # type: ignore[arg-type]
    at = BoardConsole(booting)
    at.power_mark()
    booting.power_on()

    entered = at.enter_uboot(at.context, within=Duration("20s"), interrupt_by=interrupt)

    assert entered.hush
    boot = entered.boot
    assert boot.first_byte is not None
    assert boot.prompt is not None
    if boot.uboot is not None and boot.spl is not None:
        assert 0.2 < boot.first_byte <= boot.spl < boot.uboot < boot.prompt < 4
    assert at.run_uboot("bad", at.context, timeout=LONG).status == 1


def test_a06_an_old_prompt_says_nothing_after_a_power_cycle() -> None:
    booting = BootingBoard()
    at = BoardConsole(booting)
    booting.say(b"\r\n=> ")
    at.hear()
    at.power_mark()

    with pytest.raises(TimedOut, match="nothing came from the board"):
        at.enter_uboot(at.context, within=Duration("3s"))
    with pytest.raises(TimedOut):
        at.expect("=> ", at.context, within=Duration("1s"), since="power_on")


def test_a_missed_autoboot_is_named_at_once() -> None:
    booting = BootingBoard(delay=1.0, key=b"never")
    at = BoardConsole(booting)
    at.power_mark()
    booting.power_on()

    with pytest.raises(Failed, match="the kernel starts") as caught:
        at.enter_uboot(at.context, within=Duration("60s"))
    assert not isinstance(caught.value, TimedOut)
    assert booting.now() < 5


def test_another_prompt_is_a_setting() -> None:
    class Other(LineBoard):
        prompt = b"U-Boot> "

        def ran(self, line: str) -> None:
            self.print(line.removeprefix("echo ").replace("$?", "0") + "\n")

    at = BoardConsole(Other(), ConsoleSettings(uboot=UbootSettings(prompt="U-Boot> ")))

    assert at.enter_uboot(at.context, within=Duration("5s")).hush


def test_a_board_that_says_nothing_is_not_taken_for_a_bad_line() -> None:
    at = BoardConsole(Board())

    with pytest.raises(Failed, match="no U-Boot prompt answers"):
        at.run_uboot("version", at.context, timeout=LONG)


def test_after_a_time_out_the_prompt_is_asked_for_anew() -> None:
    class Hangs(UbootBoard):
        def ran(self, line: str) -> None:
            if line.startswith("hang"):
                self.hurt = lambda _at, _key: b""
                self.prompt = b""
                return
            super().ran(line)

    at = BoardConsole(Hangs({}))

    with pytest.raises(TimedOut, match="'hang' has not ended within 5s"):
        at.run_uboot("hang", at.context, timeout=Duration("5s"))
    with pytest.raises(Failed, match="no U-Boot prompt answers"):
        at.run_uboot("version", at.context, timeout=LONG)
