"""Logging in, and everything that comes instead of a shell."""

from __future__ import annotations

import pytest
from support.boards import BoardConsole, ShellBoard
from support.simulated import VirtualBoard

from runner.api import Duration, Failed, TimedOut
from runner.modules.sim.options import Faults, System

KERNEL = b"[    3.141592] usb 1-1: new device\r\n"
ANSWERS = {"true": ("", 0), "hostname": ("board\n", 0)}


class LoginBoard(ShellBoard):
    """A Linux that boots and asks who is there."""

    def __init__(
        self,
        *,
        password: str = "secret",
        late: int = 0,
        swallow: int = 0,
        colours: bool = False,
        autologin: bool = False,
        before_login: bytes = b"",
        after_login: bytes = b"",
    ) -> None:
        super().__init__(ANSWERS)
        if colours:
            self.prompt = b"\x1b]0;root@b: ~\x07\x1b[?2004h\x1b[1;32mroot@b\x1b[0m:~# \x1b[6n"
        self.password = password
        self.swallow = swallow
        self.asked = "off"
        self.late = late
        self.autologin = autologin
        self.before_login = before_login
        self.after_login = after_login
        self.names: list[bytes] = []

    def boot(self) -> None:
        self.say(b"\r\nStarting kernel ...\r\n[    0.000000] Linux version 6.1\r\n" + KERNEL, after=0.5)
        self.say(self.before_login, after=1.0)
        if self.autologin:
            self.say(b"b login: root (automatic login)\r\n\r\n", after=2.0)
            self._enter_shell()
            return
        self.say(b"\r\nb login: ", after=2.0)
        self.asked = "name"
        for number in range(self.late):
            self.say(b"\rStarting service %d...\r\n[  OK  ] Started service.\r\n" % number, after=2.01)

    def _enter_shell(self) -> None:
        self.asked = "shell"
        self.say(b"Last login: Sat Nov 21 on ttyS0\r\n" + self.prompt)

    def key(self, key: bytes) -> None:
        if self.asked == "off":
            return
        if self.asked == "shell":
            super().key(key)
        elif self.asked == "name" and self.swallow:
            self.swallow -= 1
        elif key == b"\x15":
            self.line = b""
        elif key != b"\n":
            self.line += key
            if self.asked == "name":
                self.say(key)
        else:
            self._entered()

    def _entered(self) -> None:
        line, self.line = self.line, b""
        if self.asked == "name":
            self.names.append(line)
            self.say(b"\r\n")
            if not line:
                self.say(b"b login: ")
            elif self.password:
                self.say(b"Password: ")
                self.asked = "password"
            else:
                self._enter_shell()
            return
        if self.names[-1] != b"root" or line != self.password.encode():
            self.asked = "name"
            self.say(b"\r\nLogin incorrect\r\nb login: ", after=1.0)
        elif self.after_login:
            self.say(self.after_login)
        else:
            self.say(b"\r\n")
            self._enter_shell()


def booted(**options: object) -> BoardConsole:
    board = LoginBoard(**options)  # type: ignore[arg-type]
    at = BoardConsole(board)
    at.power_mark()
    board.boot()
    return at


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"password": ""},
        {"swallow": 2},
        {"autologin": True},
    ],
    ids=str,
)
def test_a_shell_is_reached(options: dict[str, object]) -> None:
    logged_in(**options)


def logged_in(**options: object) -> BoardConsole:
    """Log in, and try the shell."""
    at = booted(**options)
    found = at.login(at.context, user="root", password="secret", within=Duration("60s"))

    assert found.already is bool(options.get("autologin"))
    assert at.run("hostname", at.context, timeout=Duration("5s")).output == "board"
    return at


def test_a02_a_login_prompt_that_init_messages_overwrite_is_asked_for_again() -> None:
    board = logged_in(late=3).board
    assert isinstance(board, LoginBoard)

    assert board.names == [b"", b"root"]


@pytest.mark.parametrize("autologin", [False, True])
def test_a03_a_coloured_prompt_with_a_title_and_bracketed_paste_is_a_prompt(autologin: bool) -> None:
    at = logged_in(colours=True, autologin=autologin)

    assert b"\x1b]0;root@b: ~\x07\x1b[?2004h\x1b[1;32m" in at.raw
    assert at.expect(r"^root@b:~# ", at.context, within=Duration("1s"), since="power_on").text


def test_a14_a_prompt_that_is_never_last_behind_an_autologin_is_a_prompt() -> None:
    at = VirtualBoard(system=System(entry="autologin"), faults=Faults(log_every=Duration("20ms")))
    at.power_cycle()

    assert at.login(at.context, user="root", within=Duration("60s")).already
    for number in range(20):
        ran = at.run(f"echo answer {number}; false", at.context, timeout=Duration("5s"))
        lines = [line for line in ran.output.splitlines() if "sensord" not in line]
        assert (lines, ran.status, ran.resent) == ([f"answer {number}"], 1, 0)


def test_a01_a_kernel_message_at_every_byte_of_the_login_changes_nothing() -> None:
    clean = logged_in()
    message = b"[   12.345678] sim: in between\r\n"
    for at in range(clean.raw.index(b"b login"), clean.raw.index(b"Last login")):
        board = LoginBoard()
        board.insert = (at, message)
        hit = BoardConsole(board)
        hit.power_mark()
        board.boot()
        hit.login(hit.context, user="root", password="secret", within=Duration("60s"))

        assert (at, board.names) == (at, [b"root"])
        assert (at, hit.kernel().count(message.replace(b"\r\n", b"\n"))) == (at, 1)


def test_nothing_is_typed_before_linux_is_heard() -> None:
    board = LoginBoard()
    at = BoardConsole(board)
    at.power_mark()
    board.say(b"\r\nU-Boot 2023.01\r\nHit any key to stop autoboot:  9", after=1.0)

    with pytest.raises(TimedOut):
        at.login(at.context, user="root", password="", within=Duration("30s"))
    assert board.typed == b""


def test_a_shell_that_is_already_there_is_used() -> None:
    board = LoginBoard()
    board.asked = "shell"
    at = BoardConsole(board)

    assert at.login(at.context, user="root", password="secret", within=Duration("20s")).already


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (
            {"before_login": b"[    2.000000] Kernel panic - not syncing: VFS: no root\r\n"},
            "the kernel panics",
        ),
        ({"before_login": b"Kernel panic - not syncing: no init\r\n"}, "the kernel panics"),
        ({"before_login": b"BusyBox v1.35\r\n(initramfs) "}, "initramfs"),
        ({"before_login": b"You are in emergency mode. After logging in, type\r\n"}, "emergency shell"),
        (
            {"before_login": b"Give root password for maintenance\r\n(or press Control-D): "},
            "emergency shell",
        ),
        ({"password": "other"}, "refused"),
        ({"after_login": b"\r\nYou are required to change your password immediately\r\n"}, "expired"),
    ],
    ids=str,
)
def test_a13_what_comes_instead_is_named_at_once(options: dict[str, object], named: str) -> None:
    at = booted(**options)

    with pytest.raises(Failed, match=named) as caught:
        at.login(at.context, user="root", password="secret", within=Duration("300s"))

    assert not isinstance(caught.value, TimedOut)
    assert at.board.now() < 15


def test_a_board_that_waits_in_uboot_is_named_and_not_touched() -> None:
    board = LoginBoard()
    at = BoardConsole(board)
    board.say(b"U-Boot 2023.01\r\n=> ")
    at.hear(5)

    with pytest.raises(Failed, match="at the U-Boot prompt"):
        at.login(at.context, user="root", password="", within=Duration("30s"))
    assert board.typed == b""


def test_a_silent_board_times_out_with_what_it_said_last() -> None:
    at = booted(before_login=b"Starting syslogd\r\n")
    at.board.key = lambda key: None
    at.board._waiting.pop()

    with pytest.raises(TimedOut, match="no shell within 20s") as caught:
        at.login(at.context, user="root", password="", within=Duration("20s"))
    assert "Starting syslogd" in str(caught.value.evidence["tail"])
