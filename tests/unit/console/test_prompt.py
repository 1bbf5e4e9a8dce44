"""Ctrl-C until a prompt answers."""

from __future__ import annotations

import pytest
from support.boards import BoardConsole, LineBoard, ShellBoard, UbootBoard

from runner.api import Duration, TimedOut

ANSWERS = {"true": ("", 0)}
LONG = Duration("60s")


class Stubborn(ShellBoard):
    """A shell whose program ends only with the so-many-th Ctrl-C."""

    def __init__(self, presses: int) -> None:
        super().__init__(ANSWERS)
        self.presses = presses
        self.pressed = 0

    def key(self, key: bytes) -> None:
        if self.pressed < self.presses:
            self.pressed += key == b"\x03"
            if self.pressed < self.presses:
                return
        super().key(key)


class AskingWho(LineBoard):
    """A getty."""

    prompt = b"board login: "


def test_a_shell_is_reached_and_has_answered() -> None:
    at = BoardConsole(ShellBoard(ANSWERS))

    assert at.interrupt(at.context, within=LONG) == "shell"
    assert at.run("true", at.context, timeout=LONG).status == 0


@pytest.mark.parametrize("hush", [True, False])
def test_u_boot_is_told_from_a_shell(hush: bool) -> None:
    at = BoardConsole(UbootBoard(ANSWERS, hush=hush))

    assert at.interrupt(at.context, within=LONG) == "uboot"
    assert "" not in at.board.lines  # type: ignore[attr-defined]


def test_nothing_is_typed_at_a_login_prompt() -> None:
    at = BoardConsole(AskingWho())

    assert at.interrupt(at.context, within=LONG) == "login"
    assert at.board.typed.strip(b"\x03") == b""


def test_a_program_that_wants_it_twice_gets_it_twice() -> None:
    at = BoardConsole(Stubborn(3))

    assert at.interrupt(at.context, within=LONG) == "shell"


def test_a_shell_that_was_made_ready_stays_so() -> None:
    board = ShellBoard(ANSWERS)
    at = BoardConsole(board)
    at.run("true", at.context, timeout=LONG)
    before = len(board.lines)

    at.interrupt(at.context, within=LONG)
    at.run("true", at.context, timeout=LONG)

    assert len(board.lines) == before + 2  # the proof and the command, and no function again


def test_a_board_that_hangs_is_said_to_and_the_limit_is_named() -> None:
    at = BoardConsole(Stubborn(1000))

    with pytest.raises(TimedOut, match="no prompt answers to Ctrl-C") as caught:
        at.interrupt(at.context, within=Duration("5s"))
    assert caught.value.evidence["within"] == 5.0


def test_what_only_looks_like_a_prompt_is_not_believed() -> None:
    class Mute(LineBoard):
        def _enter(self) -> None:
            self.line = b""

    at = BoardConsole(Mute())

    with pytest.raises(TimedOut):
        at.interrupt(at.context, within=Duration("10s"))
