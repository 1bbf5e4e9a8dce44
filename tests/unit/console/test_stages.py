"""The stages of a start, on the simulated board and byte by byte."""

from __future__ import annotations

import pytest
from support.simulated import VirtualBoard

from runner.api import Duration
from runner.console import ConsoleSettings
from runner.console.stages import Stages
from runner.console.transcript import Transcript
from runner.modules.sim.options import Faults, Firmware, System

ORDER = ["first_byte", "spl", "uboot", "kernel", "userspace", "login"]
BOOT = (
    b"\r\nU-Boot SPL 2023.01 (now)\r\nTrying\r\n\r\nU-Boot 2023.01 (now)\r\n\r\nHit any key: 0\r\n"
    b"\r\nStarting kernel ...\r\n\r\n[    0.000000] Booting Linux on physical CPU 0x0\r\n"
    b"[    1.000000] Run /sbin/init as init process\r\nWelcome to Board\r\n\r\nboard login: "
)


def names(told: list[tuple[str, float]]) -> list[str]:
    return [name for name, _ in told]


def test_every_stage_of_a_boot_is_seen_in_its_order() -> None:
    at = VirtualBoard()
    at.power_cycle()
    at.hear(10)

    told = at.stages_reached()

    assert names(told) == [f"boot.{stage}" for stage in ORDER]
    times = [seconds for _, seconds in told]
    assert times == sorted(times)
    assert 0 < times[0] < times[-1] < 3
    boot = at.boot()
    assert (boot.cause, boot.prompt, boot.login) == ("power", None, times[-1])
    assert at.stages_reached() == []


def test_a_power_cycle_begins_anew_and_an_old_login_does_not_count() -> None:
    at = VirtualBoard()
    at.power_cycle()
    at.hear(10)
    at.stages_reached()
    at.power_cycle()
    at.hear(0.3)

    assert names(at.stages_reached()) == ["boot.first_byte", "boot.spl", "boot.uboot"]
    assert at.boot().login is None


def test_a_restart_that_is_announced_counts_from_its_words() -> None:
    at = VirtualBoard()
    at.power_cycle()
    at.login(at.context, user="root", within=Duration("20s"))
    at.stages_reached()
    at.hear(50)
    at.send(b"reboot\n", at.context)
    at.hear(10)

    told = at.stages_reached()

    assert names(told) == [f"restart.{stage}" for stage in ORDER]
    assert told[-1][1] < 4
    assert at.boot().cause == "restart"


def test_a_login_tells_the_boot_that_led_to_it() -> None:
    at = VirtualBoard()
    at.power_cycle()

    login = at.login(at.context, user="root", within=Duration("20s"))

    assert login.boot.login is not None
    assert login.boot.kernel is not None
    assert login.boot.login <= login.elapsed


def test_what_a_command_quotes_is_no_stage_of_another_start() -> None:
    at = VirtualBoard()
    at.power_cycle()
    at.enter_uboot(at.context, within=Duration("20s"))
    at.stages_reached()
    at.run_uboot("version", at.context, timeout=Duration("9s"))
    at.run_uboot("echo login: ; echo Linux is here", at.context, timeout=Duration("9s"))

    assert at.stages_reached() == []


def test_nothing_is_told_of_a_board_that_nobody_switched_on() -> None:
    at = VirtualBoard()
    at.board.switch(on=True, now=at.line.time)
    at.hear(10)

    assert at.stages_reached() == []
    assert at.boot().cause == ""


@pytest.mark.parametrize(
    ("system", "missing"),
    [(System(entry="initramfs"), {"login"}), (System(entry="shell"), {"login"})],
)
def test_a_stage_that_a_board_does_not_have_is_none(system: System, missing: set[str]) -> None:
    at = VirtualBoard(Firmware(spl=False), system=system)
    at.power_cycle()
    at.hear(10)

    seen = {name.partition(".")[2] for name in names(at.stages_reached())}
    assert seen & (missing | {"spl"}) == set()
    assert {"uboot", "kernel"} <= seen


def test_a_chatty_board_is_timed_all_the_same() -> None:
    at = VirtualBoard(faults=Faults(printk_every=Duration("20ms"), late_messages=3))
    at.power_cycle()
    at.hear(10)

    assert names(at.stages_reached()) == [f"boot.{stage}" for stage in ORDER]


def seen_in(data: bytes, chunk: int) -> dict[str, float]:
    """Return what is seen in bytes that come one chunk a second."""
    transcript = Transcript(quiet=0.1)
    stages = Stages(transcript, ConsoleSettings())
    transcript.listen(stages)
    stages.begin("power", 0.0)
    for number, start in enumerate(range(0, len(data), chunk)):
        transcript.feed(data[start : start + chunk], float(number))
        transcript.tick(number + 0.5)
    return dict(stages.news())


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64, 4096])
def test_how_the_bytes_are_cut_changes_nothing_but_the_times(chunk: int) -> None:
    seen = seen_in(BOOT, chunk)

    assert list(seen) == [f"boot.{stage}" for stage in ORDER]
    for stage, word in (("spl", b"U-Boot SPL"), ("uboot", b"U-Boot 2023"), ("login", b"board login")):
        assert seen[f"boot.{stage}"] == BOOT.index(word) // chunk


def test_a_loader_that_stamps_its_lines_is_not_taken_for_the_kernel() -> None:
    stamped = b"".join(b"[    0.%06d] %s\n" % (at, line) for at, line in enumerate(BOOT.split(b"\r\n")[:7]))

    seen = seen_in(stamped + b"[    9.000000] Linux version 6.1\n", 4096)

    assert list(seen) == ["boot.first_byte", "boot.spl", "boot.uboot", "boot.kernel"]


def test_a_line_without_end_costs_no_more_than_its_bytes() -> None:
    looked: list[int] = []

    class Counted(Transcript):
        pass

    transcript = Counted(quiet=0.1)
    stages = Stages(transcript, ConsoleSettings())
    transcript.listen(stages)
    stages.begin("power", 0.0)
    for number in range(400):
        transcript.feed(b"=> x" * 1024, float(number))
        looked.append(transcript.text.end - stages._text_at)

    assert max(looked) <= 512
