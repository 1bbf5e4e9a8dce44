"""barebox and GRUB by configuration: their prompts, their echo and their status."""

from __future__ import annotations

import pytest
from support.boards import BoardConsole, LineBoard

from runner.api import Duration, RecipeFault
from runner.console import ConsoleSettings, Interrupt, UbootSettings

LONG = Duration("60s")


class Barebox(LineBoard):
    """barebox 2023.01 with its coloured prompt, as its default environment sets PS1."""

    prompt = b"\x1b[1;32mbarebox@\x1b[1;36mPhytec phyCORE i.MX6:/\x1b[0m "
    interrupted = b"^C\r\n"

    def power_on(self) -> None:
        self.say(b"\r\n\r\nbarebox 2023.01.0 #1 Mon Jan 9 16:07:33 UTC 2023\r\n\r\n", after=0.4)
        self.say(b"Board: Phytec phyCORE i.MX6\r\n", after=0.5)
        self.say(b"\r\nHit m for menu or any key to stop autoboot:    3", after=0.6)
        self.stopped = False

    def key(self, key: bytes) -> None:
        if not self.stopped:
            if self.now() < 0.6:
                return
            self.stopped = True
            self.say(b"\r\n" + self.prompt)
            return
        super().key(key)

    def ran(self, line: str) -> None:
        status = 0
        for command in line.split(";"):
            if command.startswith("echo "):
                self.print(command[5:].replace("$?", str(status)) + "\n")
                status = 0
            elif command == "global.version":
                self.print("2023.01.0\n")
            else:
                self.print(f"{command.split()[0]}: Command not found\n")
                status = 127


class Grub(LineBoard):
    """GRUB 2.06 on a serial line: it places every character, knows no Ctrl-C, and starts with a menu."""

    prompt = b"grub> "

    def power_on(self) -> None:
        self.menu = True
        self.say(
            b"\x1b[H\x1b[J\x1b[1;1H\x1b[?25l\x1b[m\x1b[2;24HGNU GRUB  version 2.06-13+deb12u2\n\r\n\r",
            after=0.3,
        )
        self.say(b"\x1b[19;2H\x1b[m     Use the ^ and v keys to select which entry is highlighted.    \n\r")
        self.say(
            b"\x1b[5;3H*Board\x1b[m\x1b[22;1H   The highlighted entry will be executed automatically in 20s."
        )

    def key(self, key: bytes) -> None:
        if self.menu:
            if key == b"c":
                self.menu = False
                self.say(
                    b"\x1b[?25h\x1b[H\x1b[J\x1b[1;1H\x1b[2;24HGNU GRUB  version 2.06\n\r\n\r\n\r"
                    + self.prompt
                )
        elif key == b"\n":
            line, self.line = self.line.decode(), b""
            self.lines.append(line)
            self.say(b"\n\r")
            self.ran(line)
            self.say(self.prompt)
        elif key == b"\x15":
            self.say(b"\x1b[11;7H" + b" " * len(self.line) + b"\x1b[11;7H")
            self.line = b""
        elif key >= b" ":
            column = 7 + len(self.line)
            self.line += key
            self.say(b"\x1b[11;%dH%s\x1b[11;%dH" % (column, key, column + 1))

    def ran(self, line: str) -> None:
        status = 0
        for command in line.split(";"):
            if command.startswith("echo "):
                text = command[5:]
                assert "}" not in text or text.startswith('"'), "a bare brace is a word of GRUB's grammar"
                self.say(text.strip('"').replace("$?", str(status)).encode() + b"\n\r")
                status = 0
            elif command == "false":
                status = 1
            else:
                self.say(f"error: can't find command `{command}'.\n\r".encode())


def test_barebox_is_entered_and_tells_the_status_of_commands() -> None:
    board = Barebox()
    at = BoardConsole(board, ConsoleSettings(uboot=UbootSettings(loader="barebox")))
    at.power_mark()
    board.power_on()

    entered = at.enter_uboot(at.context, within=Duration("20s"))

    assert entered.hush
    assert entered.version.startswith("barebox 2023.01.0")
    assert entered.boot.uboot is not None
    assert entered.boot.prompt is not None
    assert entered.boot.uboot < entered.boot.prompt
    good, bad = (at.run_uboot(each, at.context, timeout=LONG) for each in ("global.version", "nosuch"))
    assert (good.output, good.status, bad.status) == ("2023.01.0", 0, 127)


@pytest.mark.parametrize(
    "prompt", ["barebox@Phytec phyCORE i.MX6:/ ", "barebox@*:* ", ["=> ", "barebox@*/ "]]
)
def test_a_prompt_may_be_written_out_or_with_what_varies(prompt: str | list[str]) -> None:
    board = Barebox()
    at = BoardConsole(board, ConsoleSettings(uboot=UbootSettings(prompt=prompt)))
    at.power_mark()
    board.power_on()

    assert at.enter_uboot(at.context, within=Duration("20s")).hush


def test_a_prompt_of_another_board_is_not_taken() -> None:
    board = Barebox()
    at = BoardConsole(board, ConsoleSettings(uboot=UbootSettings(prompt="barebox@Other:* ")))
    at.power_mark()
    board.power_on()

    with pytest.raises(Exception, match=r"no prompt 'barebox@Other:\* ' that answers"):
        at.enter_uboot(at.context, within=Duration("5s"))


def grub() -> tuple[Grub, BoardConsole]:
    board = Grub()
    at = BoardConsole(board, ConsoleSettings(uboot=UbootSettings(loader="grub")))
    at.power_mark()
    board.power_on()
    return board, at


@pytest.mark.parametrize("keys", ["\x03", "\x1b"])
def test_grub_is_entered_through_its_menu_and_tells_the_status_of_commands(keys: str) -> None:
    board, at = grub()

    entered = at.enter_uboot(at.context, within=Duration("20s"), interrupt_by=Interrupt(keys=keys))

    assert entered.hush
    assert entered.version.startswith("GNU GRUB  version 2.06")
    assert not board.menu
    good, bad = (at.run_uboot(each, at.context, timeout=LONG) for each in ("echo hi", "false"))
    assert (good.output, good.status, bad.status) == ("hi", 0, 1)


def test_a_command_that_grub_does_not_have_is_not_taken_for_a_success() -> None:
    _, at = grub()
    at.enter_uboot(at.context, within=Duration("20s"))

    assert at.run_uboot("nosuch", at.context, timeout=LONG).status == 127


def test_a_damaged_line_is_cleared_in_grub_too() -> None:
    board, at = grub()
    at.enter_uboot(at.context, within=Duration("20s"))
    start = len(board.typed)
    board.hurt = lambda position, key: b"" if position == start else key

    ran = at.run_uboot("false", at.context, timeout=LONG)

    assert (ran.status, ran.resent) == (1, 1)


def test_variables_of_grub_are_refused_instead_of_guessed() -> None:
    board, at = grub()

    with pytest.raises(RecipeFault, match="variables of GRUB are not supported yet"):
        at.get_env("prefix", at.context, timeout=LONG)
    assert board.typed == b""
