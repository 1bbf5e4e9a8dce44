from __future__ import annotations

import pytest
from support.desk import Desk, Memory

from runner.modules.sim.options import Faults, System


def test_root_gets_in_without_a_password() -> None:
    board = Desk()
    board.power(on=True)
    board.wait(3)

    assert board.type("root\r").endswith("root@sim:~# ")


def test_a_password_is_asked_for_and_not_shown() -> None:
    board = Desk(system=System(password="secret")).at_shell()

    assert board.printed.endswith(b"Password: ")
    assert board.type("secret\r") == "\r\nroot@sim:~# "


def test_a_wrong_password_is_refused() -> None:
    board = Desk(system=System(password="secret")).at_shell()

    assert "Login incorrect" in board.type("wrong\r") + board.wait(1)
    assert board.printed.endswith(b"sim login: ")


def test_an_unknown_user_is_refused() -> None:
    board = Desk()
    board.power(on=True)
    board.wait(3)
    board.type("nobody\r")
    board.type("x\r")

    assert "Login incorrect" in board.wait(1)


def test_an_expired_password_lets_nobody_in() -> None:
    board = Desk(system=System(expired=True)).at_shell()

    assert b"You are required to change your password" in board.printed
    assert board.printed.endswith(b"New password: ")


@pytest.mark.parametrize(
    ("entry", "keys", "prompt"),
    [
        ("autologin", "", "root@sim:~# "),
        ("shell", "\r", "root@sim:~# "),
        ("initramfs", "", "(initramfs) "),
        ("emergency", "", "sh-5.2# "),
    ],
)
def test_the_console_can_wait_with_something_else(entry: str, keys: str, prompt: str) -> None:
    board = Desk(system=System(entry=entry))
    board.power(on=True)
    board.wait(3)
    board.type(keys)

    assert board.printed.decode().endswith(prompt)
    assert board.run("echo here") == "here"


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        ("uname -a", "Linux sim 6.1.38-sim #1 SMP PREEMPT aarch64 GNU/Linux"),
        ("cat /proc/cmdline", "console=ttyS0,115200 root=/dev/mmcblk0 ro"),
        ("false; echo $?", "1"),
        ("false && echo no; echo yes", "yes"),
        ("nosuch; echo $?", "-sh: nosuch: not found\r\n127"),
        ("printf '%s-%03d\\n' a 7 b 8", "a-007\r\nb-008"),
        ("printf 'A\\102\\x43\\n'", "ABC"),
        ("echo one two | wc -w", "2"),
        ("printf 123456789 | cksum", "930766865 9"),
        ("echo a'b'\"c$USER\"", "abcroot"),
        ("x='1 2'; for i in $x 3; do echo $i; done", "1\r\n2\r\n3"),
        ('x=$(uname -r); echo "<$x>"', "<6.1.38-sim>"),
        ("sh -c 'exit 3'; echo $?", "3"),
        ("export A=1; sh -c 'echo $A'", "1"),
        ("A=2 sh -c 'echo $A'; echo .$A", "2\r\n."),
        ("(exit 4); echo $?", "4"),
        ("cat /nosuch 2>/dev/null || echo none", "none"),
        ("{ nosuch; } 2>&1 | grep -c found", "1"),
        ("echo kept > /tmp/a; cat /tmp/a; ls /tmp", "kept\r\na"),
        ("echo more >> /tmp/b; echo more >> /tmp/b; cat /tmp/b", "more\r\nmore"),
        ("echo $((2 * (20 + 1)))", "42"),
        ("[ 2 -gt 1 ] && echo greater", "greater"),
        ("echo ${nosuch:-other} ${USER:+set}", "other set"),
        ("sensor-read temp --rate 10", "23.5"),
        ("sensor-read nose; echo $?", "sensor-read: no sensor 'nose', there are temp, accel, light\r\n1"),
        ("head -c 17 /dev/mmcblk0", "SIMOS 6.1.38-sim"),
        ("eval 'echo a b'", "a b"),
        ("hostname", "sim"),
        ("if ! true; then echo a; elif true; then echo b; else echo c; fi", "b"),
        ("true |", ""),
        ("read level rest < /proc/sys/kernel/printk; echo $level", "7"),
        ("a=one.two.one; echo ${a#*.} ${a##*.} ${a%.*} ${a%%.*} ${#a}", "two.one one one.two one 11"),
        ("a='x*y*z'; echo ${a#x\"*\"} ${a%%'*'*} ${a%[xyz]}", "y*z x x*y*"),
        ('a=abc; b=bc; echo ${a%"$b"}', "a"),
        ("f() { echo $# $2; shift; echo $1; return 3; }; f a 'b c'; echo $?", "2 b c\r\nb c\r\n3"),
        ('f() { for i in "$@"; do echo "<$i>"; done; }; f a "b c"', "<a>\r\n<b c>"),
        ("n=7; echo $((n < 10 ? n * 3 % 5 + ${#n} : -1)) $((1 << 4 | 2)) $((!0)) $((-7 / 2))", "2 18 1 -3"),
        ("echo $((1 +)); echo next", "sh: arithmetic syntax error at ''"),
        ("echo ${unset:?is missing}", "sh: unset: is missing"),
        ("echo ${made:=value} $made", "value value"),
    ],
)
def test_the_shell_answers(command: str, printed: str) -> None:
    assert Desk().at_shell().run(command) == printed


def test_an_open_quote_asks_for_the_rest() -> None:
    board = Desk().at_shell()

    assert board.type("echo 'a\r").endswith("\r\n> ")
    assert board.type("b'\r") == "b'\r\na\r\nb\r\nroot@sim:~# "


def test_ctrl_c_ends_a_sleep_and_gives_130() -> None:
    board = Desk().at_shell()
    board.type("sleep 100\r")
    board.wait(1)

    assert board.type("\x03") == "^C\r\nroot@sim:~# "
    assert board.run("echo $?") == "130"


def test_ctrl_c_ends_an_endless_loop() -> None:
    board = Desk().at_shell()
    board.type("while true; do echo round; done\r")
    assert "round" in board.wait(0.05)

    assert board.type("\x03").endswith("^C\r\nroot@sim:~# ")


def test_ctrl_u_clears_the_line() -> None:
    board = Desk().at_shell()

    board.type("rm -rf /\x15")

    assert board.run("echo fresh") == "fresh"


def test_the_echo_can_be_switched_off() -> None:
    board = Desk().at_shell()
    board.type("stty -echo\r")

    assert board.type("echo quiet\r") == "quiet\r\nroot@sim:~# "


def test_the_prompt_is_what_ps1_says() -> None:
    board = Desk(system=System(hostname="rack-7")).at_shell()

    assert board.type("PS1='\\u@\\h \\\\ in \\w> '\r").endswith("root@rack-7 \\ in ~> ")


def test_sleep_takes_its_time() -> None:
    board = Desk().at_shell()
    board.type("sleep 2; echo done\r")

    assert "done" not in board.wait(1.9)
    assert board.wait(0.2).startswith("done")


def test_exit_asks_for_a_login_again() -> None:
    assert Desk().at_shell().type("exit\r").endswith("sim login: ")


def test_reboot_starts_from_spl() -> None:
    board = Desk().at_shell()

    printed = board.type("reboot\r") + board.wait(1)

    assert "reboot: Restarting system" in printed
    assert "U-Boot SPL" in printed


def test_after_poweroff_the_board_is_silent() -> None:
    board = Desk().at_shell()
    board.type("poweroff\r")

    assert "reboot: Power down" in board.wait(1)
    assert board.wait(100) == ""


def test_a_big_output_comes_whole_and_in_pieces() -> None:
    board = Desk().at_shell()
    board.type("seq 50000\r")
    printed = b""
    pieces = []
    for _ in range(100):
        board.now += 0.001
        pieces.append(board.board.feed(b"", board.now))
        printed += pieces[-1]
    numbers = [int(line) for line in (board.printed + printed).split(b"\r\n") if line.isdigit()]

    assert numbers == list(range(1, 50001))
    assert max(map(len, pieces)) < 128 * 1024


def test_dmesg_holds_the_boot_log_and_obeys_the_console_level() -> None:
    board = Desk().at_shell()

    assert "Machine model: Simulated bench board" in board.run("dmesg")
    assert board.run("dmesg -n 1; echo hidden > /dev/kmsg") == ""
    assert board.run("dmesg | tail -n 1").endswith("] hidden")


def test_the_first_start_of_a_medium_grows_it_and_restarts_once() -> None:
    board = Desk(system=System(first_boot=True), medium=Memory(size=1 << 20))
    board.power(on=True)
    first = board.wait(3)
    board.wait(3)
    board.power(on=False)
    board.power(on=True)

    assert "Resized the root file system, restarting\r\n" in first
    assert board.printed.count(b"U-Boot SPL") == 2
    assert board.printed.endswith(b"sim login: ")
    assert "Resized" not in board.wait(3)


def test_a_system_that_hangs_at_its_end_says_no_last_words() -> None:
    board = Desk(faults=Faults(poweroff_hangs=True)).at_shell()

    assert "Power down" not in board.run("poweroff", seconds=60)
    assert board.board.stage == "system"


def test_how_far_it_has_come_is_known() -> None:
    board = Desk()
    seen = [board.board.stage]
    board.power(on=True)
    for _ in range(200):
        board.wait(0.02)
        seen += [board.board.stage] if board.board.stage != seen[-1] else []
    board.type("root\r")
    board.run("poweroff", seconds=1)

    assert seen == [None, "blank", "firmware", "kernel", "system"]
    assert board.board.stage == "halted"
    board.power(on=False)
    assert board.board.stage is None
