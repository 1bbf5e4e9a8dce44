"""A whole simulated board at a watched console: acceptance rows A11 and A12, and what may not fire."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.watched import WatchedBoard

from runner.api import Duration, Failed, TimedOut
from runner.console import Console
from runner.modules.sim.options import Faults, Firmware, System

SOON, LONG = Duration("5s"), Duration("60s")


def booted(**options: object) -> WatchedBoard:
    board = WatchedBoard(**options)  # type: ignore[arg-type]
    board.switch_on()
    return board


def at_shell(**options: object) -> WatchedBoard:
    board = booted(**options)
    board.login(board.context, user="root", within=LONG)
    return board


def test_a11_a_board_that_resets_again_and_again_is_named_while_nobody_looks_at_its_console() -> None:
    board = booted(faults=Faults(reset_loop=True))
    board.wait(6)

    (at, alarm) = next((at, alarm) for at, alarm in board.told if alarm.state == "sure")
    assert (alarm.name, alarm.title) == ("reset_loop", "reset loop")
    assert at - 100 <= 5
    assert board.raw[alarm.offset :].startswith(b"U-Boot SPL")
    assert board.raw[: alarm.offset].count(b"\n") + 1 == alarm.log_line
    assert board.raw[: alarm.offset].count(b"U-Boot SPL") == 2


@pytest.mark.parametrize(
    "wait",
    [
        lambda board: board.enter_uboot(board.context, within=SOON),
        lambda board: board.login(board.context, user="root", within=SOON),
        lambda board: board.expect("login:", board.context, within=SOON),
    ],
    ids=["uboot_enter", "console_login", "expect_console"],
)
def test_a11_a_reset_loop_is_named_while_a_prompt_is_waited_for(wait: Callable[[Console], object]) -> None:
    board = booted(faults=Faults(reset_loop=True))
    with pytest.raises(TimedOut):
        wait(board)

    assert board.states()[:2] == [("seen", "reset"), ("sure", "reset_loop")]


@pytest.mark.parametrize("panic_end", [True, False])
def test_a12_a_panic_with_and_without_its_end_line_is_named_with_what_followed(panic_end: bool) -> None:
    board = booted(faults=Faults(panic_after=Duration("3s"), panic_end=panic_end))
    board.wait(8)

    ((seen_at, seen), (sure_at, sure)) = board.told
    assert (seen.state, sure.state, sure.name) == ("seen", "sure", "panic")
    assert 2 <= sure_at - seen_at <= 3
    assert "Call trace:" in sure.tail
    assert ("---[ end Kernel panic" in sure.tail) == panic_end


def test_a12_an_oops_in_the_middle_of_a_step_is_named_though_the_board_goes_on() -> None:
    board = at_shell(faults=Faults(oops_after=Duration("4s")))
    ran = board.run("sleep 6; echo done", board.context, timeout=LONG)

    assert ran.output == "done"
    (sure,) = board.sure()
    assert (sure.name, sure.line) == ("oops", "Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP")
    assert "Unable to handle kernel NULL pointer" in sure.tail


@pytest.mark.parametrize("stamp", ["", "[ 9999.000000] "])
def test_a12_an_audit_line_that_quotes_a_bug_report_does_nothing(stamp: str) -> None:
    line = f'{stamp}audit: type=1400 msg="a BUG: report"'
    board = at_shell()
    board.run(f"echo '{line}'", board.context, timeout=LONG)
    board.send(f"echo '{line}'\n".encode(), board.context)
    board.wait(10)

    assert board.raw.count(f"{line}\r\n".encode()) == 2
    assert board.told == []


def test_the_login_still_names_a_panic_at_once() -> None:
    board = booted(faults=Faults(panic_after=Duration("0.2s")))

    with pytest.raises(Failed, match="the kernel panics"):
        board.login(board.context, user="root", within=LONG)
    assert board.states() == [("seen", "panic")]


@pytest.mark.parametrize("entry", ["initramfs", "emergency"])
def test_an_emergency_shell_is_named(entry: str) -> None:
    board = booted(system=System(entry=entry))  # type: ignore[arg-type]
    board.wait(8)

    assert [each.name for each in board.sure()] == ["emergency"]


def test_a_board_that_resets_itself_is_named() -> None:
    board = at_shell(faults=Faults(reset_after=Duration("5s")))
    board.wait(10)

    assert [each.name for each in board.sure()] == ["reset"]


def test_starting_entering_and_restarting_a_board_is_no_alarm() -> None:
    board = booted()
    board.enter_uboot(board.context, within=LONG)
    with pytest.raises(TimedOut):
        board.run_uboot("reset", board.context, timeout=SOON)
    board.login(board.context, user="root", within=LONG)
    with pytest.raises(TimedOut):
        board.run("sync; reboot", board.context, timeout=SOON)
    board.login(board.context, user="root", within=LONG)
    board.send(b"reboot\n", board.context)
    board.wait(5)
    board.login(board.context, user="root", within=LONG)
    board.wait(10)

    assert board.raw.count(b"U-Boot SPL") == 4
    assert board.told == []


def test_switching_the_power_again_and_again_is_no_reset_loop() -> None:
    board = booted()
    for _ in range(4):
        board.wait(1)
        board.switch_off()
        board.switch_on()
    board.wait(5)

    assert board.raw.count(b"U-Boot SPL") == 5
    assert board.told == []


def test_commands_that_print_what_is_watched_for_are_no_alarm() -> None:
    board = booted()
    board.enter_uboot(board.context, within=LONG)
    for _ in range(3):
        board.run_uboot("version", board.context, timeout=LONG)
    board.login_from_uboot()
    for command in ("cat /proc/version", "dmesg", "echo 'Kernel panic - not syncing: x'"):
        board.run(command, board.context, timeout=LONG)
    board.wait(10)

    assert board.raw.count(b"\nLinux version") + board.raw.count(b"] Linux version") >= 3
    assert board.sure() == []


def test_without_hush_a_version_is_no_reset_either() -> None:
    board = booted(firmware=Firmware(hush=False))
    board.enter_uboot(board.context, within=LONG)
    board.run_uboot("version", board.context, timeout=LONG)
    board.wait(10)

    assert board.sure() == []


def test_a_board_that_restarts_by_a_script_is_expected_when_that_was_said() -> None:
    board = at_shell(faults=Faults(reset_after=Duration("8s")))
    board.expect_reset(Duration("30s"))
    board.wait(20)

    assert b"U-Boot SPL" in board.raw[board.raw.index(b"login:") :]
    assert board.told == []


def test_stopping_the_console_tells_what_was_not_decided() -> None:
    board = booted(faults=Faults(panic_after=Duration("1s")))
    board.wait(3)
    board.stop()

    assert board.states() == [("seen", "panic"), ("sure", "panic")]
