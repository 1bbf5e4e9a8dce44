"""Changing the speed at both ends: a board that only understands, and is only understood, at its own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.boards import Board, BoardConsole, ShellBoard, UbootBoard

from runner.api import Context, Duration, Failed, TimedOut
from runner.console import LineSettings, LineState, SerialConsole
from runner.console.speed import At

WITHIN = Duration("30s")


class Wired(BoardConsole, SerialConsole):
    """A serial console at a board; at different speeds both hear noise."""

    def __init__(self, board: Board, speeds: tuple[int, ...] = (115200, 921600)) -> None:
        super().__init__(board)
        self.ours = LineSettings(
            baudrate=115200, bytesize=8, parity="none", stopbits=1, rtscts=False, xonxoff=False
        )
        self.speeds = speeds
        self.theirs = 115200
        self.changed: list[int] = []
        board.hurt = lambda _at, key: key if self.ours.baudrate == self.theirs else b"\xff"
        if isinstance(board, ShellBoard):
            self._shell(board)
        elif isinstance(board, UbootBoard):
            self._uboot(board)

    def _shell(self, board: ShellBoard) -> None:
        runs = board.ran

        def ran(line: str) -> None:
            command, _, speed = line.rpartition(";stty ")
            if not command:
                runs(line)
                return
            board.print(command.removeprefix("echo ").replace("''", "") + "\n")
            if int(speed) in self.speeds:
                self.theirs = int(speed)

        board.ran = ran  # type: ignore[method-assign]

    def _uboot(self, board: UbootBoard) -> None:
        runs, key = board.ran, board.key
        waits: list[bool] = []

        def ran(line: str) -> None:
            if not line.startswith("setenv baudrate"):
                runs(line)
            elif int(line.split()[2]) in self.speeds:
                board.print("## Switch baudrate to 921600 bps and press ENTER ...\n")
                self.theirs = int(line.split()[2])
                waits.append(True)

        def heard(byte: bytes) -> None:
            if waits and byte == b"\r":
                waits.clear()
                board.say(b"=> ")
            elif not waits:
                key(byte)

        board.ran, board.key = ran, heard  # type: ignore[method-assign]

    def lines(self) -> LineState:
        raise AssertionError("a change of speed asks for no lines")

    def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        raise AssertionError("a change of speed asks for no lines")

    def send_break(self, duration: Duration, context: Context) -> None:
        raise AssertionError("a change of speed asks for no lines")

    def line_settings(self) -> LineSettings:
        return self.ours

    def set_line_settings(self, settings: LineSettings) -> None:
        self.ours = settings
        self.changed.append(settings.baudrate)


def at(kind: At, **options: tuple[int, ...]) -> Wired:
    board = ShellBoard({"true": ("", 0)}) if kind == "shell" else UbootBoard({"true": ("", 0)})
    return Wired(board, **options)


@pytest.mark.parametrize("kind", ["shell", "uboot"])
def test_the_board_changes_and_is_followed(kind: At) -> None:
    console = at(kind)
    run = console.run if kind == "shell" else console.run_uboot
    run("true", console.context, timeout=WITHIN)

    fast = replace(console.ours, baudrate=921600)
    console.change_speed(fast, console.context, at=kind, within=WITHIN)

    assert (console.theirs, console.changed) == (921600, [921600])
    assert run("true", console.context, timeout=WITHIN).status == 0


@pytest.mark.parametrize("kind", ["shell", "uboot"])
def test_a_board_that_does_not_follow_leaves_our_end_as_it_was(kind: At) -> None:
    console = at(kind, speeds=(115200,) if kind == "shell" else (115200, 921600))
    if kind == "uboot":
        console.run_uboot("true", console.context, timeout=WITHIN)
        fast = replace(console.ours, baudrate=921600)
        console.board.hurt = lambda _at, key: b"\xff" if console.changed[-1:] == [921600] else key
    else:
        console.run("true", console.context, timeout=WITHIN)
        fast = replace(console.ours, baudrate=921600)

    with pytest.raises(Failed, match="does not answer at 921600 bit/s; our end is back at 115200"):
        console.change_speed(fast, console.context, at=kind, within=WITHIN)
    assert console.changed == [921600, 115200]


def test_a_speed_that_u_boot_does_not_know_changes_nothing() -> None:
    console = at("uboot", speeds=(115200,))

    with pytest.raises(TimedOut, match="does not change its speed: setenv baudrate 921600"):
        console.change_speed(
            replace(console.ours, baudrate=921600), console.context, at="uboot", within=Duration("5s")
        )
    assert console.changed == []
