from __future__ import annotations

import zlib

import pytest
from support.desk import Desk

from runner.modules.sim.options import Firmware


def test_a_board_without_power_is_silent() -> None:
    board = Desk()

    assert board.wait(100) == ""
    assert board.type("\r") == ""


def test_spl_comes_before_uboot_and_uboot_before_the_kernel() -> None:
    board = Desk()
    board.power(on=True)

    printed = board.wait(10)

    assert printed.index("U-Boot SPL") < printed.index("\nU-Boot 2023.01") < printed.index("Linux version")
    assert printed.endswith("sim login: ")


def test_the_same_keys_at_the_same_times_give_the_same_bytes() -> None:
    first, second = Desk(), Desk()
    for board in (first, second):
        board.power(on=True)
        for _ in range(50):
            board.wait(0.07)
            board.type("x\r")

    assert first.printed == second.printed


def test_how_often_the_clock_is_read_changes_nothing() -> None:
    often, seldom = Desk(), Desk()
    often.power(on=True)
    seldom.power(on=True)

    for _ in range(3000):
        often.wait(0.001)
    seldom.wait(3.0)

    assert often.printed == seldom.printed


def test_any_key_stops_autoboot() -> None:
    board = Desk().at_uboot()

    assert board.printed.endswith(b"\r\n=> ")
    assert b"Starting kernel" not in board.printed


def test_nothing_stops_autoboot_after_the_countdown() -> None:
    board = Desk(firmware=Firmware(bootdelay=1))
    board.power(on=True)
    board.wait(1.2)

    board.type("x")

    assert "Starting kernel" in board.wait(0.1) or b"Starting kernel" in board.printed


def test_a_key_before_uboot_has_set_up_its_port_is_lost() -> None:
    board = Desk(firmware=Firmware(bootdelay=0))
    board.power(on=True)
    board.wait(0.03)
    board.type("x")

    assert "Starting kernel" in board.wait(1)


def test_with_no_bootdelay_only_a_key_that_is_already_there_stops_autoboot() -> None:
    late, early = Desk(firmware=Firmware(bootdelay=0)), Desk(firmware=Firmware(bootdelay=0))
    late.power(on=True)
    late.wait(0.3)
    late.type("\x03")
    early.power(on=True)
    early.wait(0.1)
    early.type("\x03")
    early.wait(0.3)

    assert b"Starting kernel" in late.printed
    assert early.printed.endswith(b"=> ")


def test_only_the_stop_keys_stop_autoboot_and_as_often_as_they_must() -> None:
    board = Desk(firmware=Firmware(stop_keys="\x1b", stop_count=2))
    board.power(on=True)
    board.wait(0.5)

    board.type("x\x1b x")
    assert not board.printed.endswith(b"=> ")
    board.type("\x1b\x1b")
    assert board.printed.endswith(b"=> ")


def test_the_prompt_can_be_behind_a_password() -> None:
    board = Desk(firmware=Firmware(password="open")).at_uboot()

    assert board.printed.endswith(b"Password: ")
    assert board.type("wrong\r").endswith("Wrong password\r\nPassword: ")
    assert board.type("open\r") == "\r\n=> "


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        ("echo hello", "hello"),
        ("printenv bootdelay", "bootdelay=1"),
        ("printenv nosuch; echo $?", '## Error: "nosuch" not defined\r\n1'),
        ("badcmd", "Unknown command 'badcmd' - try 'help'"),
        ("setenv a 'x y'; printenv a", "a=x y"),
        ("echo 'a'\"b\"c", "abc"),
        ("false || echo no", "no"),
        ("true && echo yes", "yes"),
        ("false; echo $?", "1"),
        ("if test a = a; then echo same; else echo other; fi", "same"),
        ("setenv x 'echo run'; run x", "run"),
        (
            "mw.b 40000000 41 4; crc32 40000000 4",
            f"crc32 for 40000000 ... 40000003 ==> {zlib.crc32(b'AAAA'):08x}",
        ),
        ("mw.b 40000000 41 2; md.b 40000000 2", "40000000: 41 41  AA"),
    ],
)
def test_the_prompt_answers(command: str, printed: str) -> None:
    assert Desk().at_uboot().run(command) == printed


def test_without_hush_there_is_no_status_and_quotes_stay() -> None:
    board = Desk(firmware=Firmware(hush=False)).at_uboot()

    assert board.run("echo $?") == "$?"
    assert board.run("echo 'a'") == "'a'"
    assert board.run("echo a;echo b") == "a\r\nb"


def test_a_line_has_so_many_characters_and_no_more() -> None:
    board = Desk(firmware=Firmware(longest_line=20)).at_uboot()

    assert board.run("echo " + "x" * 30) == "x" * 15


def test_an_empty_line_repeats_the_last_command() -> None:
    board = Desk().at_uboot()
    board.run("echo again")

    assert board.run("") == "again"


def test_ctrl_c_leaves_the_line() -> None:
    board = Desk().at_uboot()
    board.type("setenv broken")

    assert board.type("\x03") == "<INTERRUPT>\r\n=> "
    assert board.run("printenv broken") == '## Error: "broken" not defined'


def test_the_environment_lasts_when_it_is_saved() -> None:
    board = Desk().at_uboot()
    board.run("setenv kept 1; saveenv; setenv lost 1", seconds=0.1)
    board.power(on=False)
    board.at_uboot()

    assert board.run("printenv kept") == "kept=1"
    assert board.run("printenv lost") == '## Error: "lost" not defined'


def test_reset_starts_again() -> None:
    board = Desk().at_uboot()

    printed = board.type("reset\r") + board.wait(0.3)

    assert "resetting ..." in printed
    assert "U-Boot SPL" in printed


def test_power_off_ends_everything_in_the_middle_of_a_line() -> None:
    board = Desk()
    board.power(on=True)
    board.wait(0.05)
    board.power(on=False)

    assert board.wait(10) == ""


def test_what_was_flashed_boots() -> None:
    board = Desk()
    board.medium.write(0, b"nightly build 6.6.30-rc1\n")
    board.at_shell()

    assert board.run("uname -r") == "6.6.30-rc1"


def test_a_medium_without_a_system_stays_at_the_prompt() -> None:
    board = Desk()
    board.medium.write(0, bytes(64))
    board.power(on=True)

    printed = board.wait(5)

    assert "Bad Linux ARM64 Image magic!" in printed
    assert printed.endswith("=> ")
