from __future__ import annotations

import dataclasses
import re

import pytest
from support.desk import Desk
from support.peers import ROOT

from runner.api import Duration
from runner.modules.sim.options import Faults, Firmware, System

KNOBS = {
    "dropped and swapped characters": ("drop", "swap", "damaged_lines"),
    "FIFO overrun": ("fifo", "fifo_rate", "line_rate"),
    "printk rate and position": ("printk_every", "printk_at", "printk_level"),
    "boot delay 0": ("bootdelay",),
    "slow boot": ("boot_time",),
    "panic after N s": ("panic_after", "panic_end"),
    "reset loop": ("reset_loop",),
    "port re-enumeration": ("port_gone_after", "port_gone_for"),
    "stuck relay": ("relay",),
    "slow outlet": ("outlet_delay",),
    "read-only login": ("read_only_login",),
}
"""What a simulated board must be able to do wrong, and the options that say so."""


def options() -> set[str]:
    return {field.name for kind in (Faults, Firmware, System) for field in dataclasses.fields(kind)}


@pytest.mark.parametrize("knob", KNOBS)
def test_a_board_can_do_wrong_what_it_must(knob: str) -> None:
    assert set(KNOBS[knob]) <= options()


def test_every_option_of_a_simulated_board_is_set_in_a_test() -> None:
    folders = ("unit/sim", "unit/console", "contract", "acceptance")
    paths = [path for each in folders for path in (ROOT / "tests" / each).glob("test_*.py")]
    tests = "".join(path.read_text(encoding="utf-8") for path in paths)

    assert sorted(name for name in options() if f"{name}=" not in tests and f"{name}: " not in tests) == []


def test_a_dead_board_prints_nothing() -> None:
    board = Desk(faults=Faults(dead=True))
    board.power(on=True)

    assert board.wait(100) == ""


def test_a_board_can_stop_talking_with_its_second_start() -> None:
    board = Desk(faults=Faults(mute_from=2))
    board.power(on=True)
    first = board.wait(100)
    board.power(on=False)
    board.power(on=True)

    assert "U-Boot SPL" in first
    assert board.wait(100) == ""


def test_dropped_characters_are_missing_from_the_first_line_only() -> None:
    board = Desk(faults=Faults(drop=2)).at_uboot()

    assert "Unknown command 'ho'" in board.type("echo damaged\r")
    assert board.run("echo whole") == "whole"


def test_a_damaged_line_that_is_cleared_and_typed_again_is_whole() -> None:
    board = Desk(faults=Faults(drop=3)).at_uboot()
    board.type("echo hello")

    assert board.type("\x15echo hello\r").endswith("echo hello\r\nhello\r\n=> ")


def test_swapped_characters_arrive_in_reverse_order() -> None:
    board = Desk(faults=Faults(swap=1, damaged_lines=2)).at_uboot()

    assert "Unknown command 'ceho'" in board.type("echo x\r")
    assert "Unknown command 'ceho'" in board.type("echo x\r")
    assert board.run("echo x") == "x"


def test_a_slow_receiver_loses_what_comes_too_fast() -> None:
    line = "echo " + "0123456789" * 11
    fast, slow = Desk(faults=Faults(fifo=16)).at_uboot(), Desk(faults=Faults(fifo=16)).at_uboot()
    fast.type(line)
    for character in line:
        slow.type(character)
        slow.wait(0.001)
    fast.wait(1)

    assert len(line) - 40 < len(fast.run("")) < len(line) - len("echo ")
    assert slow.run("") == line.removeprefix("echo ")


def test_what_overruns_depends_on_how_fast_bytes_come_and_are_taken() -> None:
    line = "0123456789" * 5
    quick = Desk(faults=Faults(fifo=16, line_rate=11520, fifo_rate=11520)).at_uboot()
    patient = Desk(faults=Faults(fifo=16, line_rate=960, fifo_rate=1000)).at_uboot()
    lame = Desk(faults=Faults(fifo=16, line_rate=960, fifo_rate=100)).at_uboot()

    assert [len(each.type(line)) for each in (quick, patient, lame)] == [50, 50, 20]


def test_a_board_can_take_its_time_to_boot() -> None:
    board = Desk(system=System(boot_time=Duration("1m"), motd="Be patient."))
    board.power(on=True)

    assert "login:" not in board.wait(55)
    assert board.wait(10).endswith("login: ")
    assert "\nBe patient.\r\n" in board.type("root\r")


def test_a_kernel_message_comes_again_and_again() -> None:
    board = Desk(faults=Faults(printk_every=Duration("100ms"))).at_shell()

    printed = board.wait(1)

    assert len(re.findall(r"\[ +\d+\.\d{6}\] sim: message \d+ from the driver\r\n", printed)) == 10


def test_the_console_level_silences_the_kernel_messages() -> None:
    board = Desk(faults=Faults(printk_every=Duration("100ms"))).at_shell()
    board.run("dmesg -n 4")

    assert board.wait(1) == ""


def test_a_kernel_message_stands_at_any_place_in_an_answer() -> None:
    whole = Desk().at_shell().type("echo hello\r")

    for place in range(len(whole)):
        answer = Desk(faults=Faults(printk_at=place)).at_shell().type("echo hello\r")
        message = re.search(r"\[ +\d+\.\d{6}\] sim: message in between\r\n", answer)
        assert message is not None
        assert message.start() == place
        assert answer.replace(message[0], "") == whole


def test_a_panic_ends_everything() -> None:
    board = Desk(faults=Faults(panic_after=Duration("1s"))).at_shell()

    assert b"Kernel panic - not syncing" in board.printed
    assert b"---[ end Kernel panic" in board.printed
    assert board.type("echo alive\r") + board.wait(100) == ""


def test_a_panic_can_lack_its_end_line() -> None:
    board = Desk(faults=Faults(panic_after=Duration("1s"), panic_end=False)).at_shell()

    assert b"Kernel panic - not syncing" in board.printed
    assert b"end Kernel panic" not in board.printed


def test_an_oops_leaves_the_board_running() -> None:
    board = Desk(faults=Faults(oops_after=Duration("1s"))).at_shell()

    assert b"Internal error: Oops" in board.printed
    assert board.run("echo alive") == "alive"


def test_a_reset_loop_shows_the_spl_banner_again_and_again() -> None:
    board = Desk(faults=Faults(reset_loop=True))
    board.power(on=True)

    assert board.wait(10).count("U-Boot SPL") > 10
    assert b"U-Boot 2023" not in board.printed


def test_a_board_can_reset_once_by_itself() -> None:
    board = Desk(faults=Faults(reset_after=Duration("3s")))
    board.power(on=True)

    assert board.wait(20).count("U-Boot SPL") == 2


def test_late_messages_overwrite_the_login_prompt() -> None:
    board = Desk(faults=Faults(late_messages=2))
    board.power(on=True)

    assert board.wait(5).endswith("Started late service 2.\r\n")
    assert board.type("\r").endswith("sim login: ")
    assert board.type("root\r").endswith("# ")


def test_the_login_prompt_can_lose_the_first_characters() -> None:
    board = Desk(faults=Faults(login_swallows=2)).at_shell()

    assert b"login: ot\r\nPassword: " in board.printed


def test_a_read_only_login_hears_nothing() -> None:
    board = Desk(faults=Faults(read_only_login=True))
    board.power(on=True)
    board.wait(5)

    assert board.type("root\r") + board.wait(100) == ""


def test_a_chatty_service_never_lets_the_prompt_be_last() -> None:
    board = Desk(faults=Faults(log_every=Duration("50ms"))).at_shell()

    assert board.wait(1).count("sensord[77]: sample") == 20
    assert "alive" in board.type("echo alive\r")


def test_a_break_and_b_reboot_a_board_with_a_kernel() -> None:
    desk = Desk().at_shell()
    desk.board.receive_break(desk.now)
    printed = desk.type("b") + desk.wait(1)

    assert "sysrq: Resetting" in printed
    assert "U-Boot SPL" in printed


def test_the_magic_key_has_five_seconds_and_no_meaning_without_a_kernel() -> None:
    desk = Desk().at_shell()
    desk.board.receive_break(desk.now)
    desk.now += 6
    assert desk.type("b").endswith("b")

    desk = Desk().at_uboot()
    desk.board.receive_break(desk.now)
    assert desk.type("b").endswith("b")
