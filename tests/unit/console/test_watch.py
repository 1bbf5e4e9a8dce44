"""What consoles are watched for, line by line; on a whole board see test_watched_board.py."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.console.alarm import Alarm, Watching
from runner.console.pattern import regex
from runner.console.transcript import Transcript
from runner.console.watch import Watch
from runner.console.watched import TITLES, WATCHED

SPL = "U-Boot SPL 2023.01 (Jan 09 2023 - 16:07:33 +0000)"
UBOOT = "U-Boot 2023.01+dfsg-2 (Jan 09 2023 - 16:07:33 +0000)"
LINUX = "[    0.000000] Linux version 6.1.0-18-arm64 (debian-kernel@lists.debian.org)"
FIRES = [
    ("panic", "[   12.345678] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100"),
    ("panic", "[   12.345678][    T1] Kernel panic - not syncing: Fatal exception"),
    ("panic", "<0>[   12.345678] Kernel panic - not syncing: VFS: Unable to mount root fs"),
    ("panic", "Kernel panic - not syncing: hung_task: blocked tasks"),
    ("panic", "sim login: Kernel panic - not syncing: Fatal exception"),
    ("panic", "root@sim:~# Kernel panic - not syncing: Fatal exception"),
    ("oops", "[  117.601522] Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP"),
    ("oops", "[  117.601522] Internal error: synchronous external abort: 0000000096000010 [#1] SMP"),
    ("oops", "[  117.601522] Internal error: Oops - BUG: 0 [#1] ARM"),
    ("oops", "[  117.601522] Oops: 0002 [#1] PREEMPT SMP NOPTI"),
    ("oops", "[  117.601522] Oops [#1]"),
    ("oops", "[  117.601522] Oops: Kernel access of bad area, sig: 11 [#1]"),
    ("oops", "[  117.601522] general protection fault, probably for non-canonical address 0xdead: 0000 [#1]"),
    ("oops", "[  117.601522] Oops[#1]:"),
    ("oops", "Internal error: Oops: 17 [#1] ARM"),
    ("bug", "[  117.601522] BUG: kernel NULL pointer dereference, address: 0000000000000000"),
    ("bug", "[  117.601522] BUG: scheduling while atomic: swapper/0/0/0x00000002"),
    ("bug", "[  117.601522] watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [kworker/1:2:77]"),
    ("bug", "[  117.601522] BUG: something that nobody has written down yet"),
    ("bug", "[  117.601522] kernel BUG at drivers/misc/lkdtm/bugs.c:76!"),
    ("bug", "BUG: unable to handle page fault for address: ffffffffc0000000"),
    ("kasan", "[  117.601522] BUG: KASAN: slab-out-of-bounds in kmalloc_oob_right+0x1a8/0x250"),
    ("kcsan", "[  117.601522] BUG: KCSAN: data-race in test_kernel_read / test_kernel_write"),
    ("kfence", "[  117.601522] BUG: KFENCE: use-after-free read in test_use_after_free_read+0xb3/0x143"),
    ("hung_task", "[  242.917000] INFO: task kworker/u8:3:77 blocked for more than 120 seconds."),
    ("rcu_stall", "[  242.917000] rcu: INFO: rcu_preempt self-detected stall on CPU"),
    ("rcu_stall", "[  242.917000] rcu: INFO: rcu_sched detected stalls on CPUs/tasks:"),
    ("rcu_stall", "[  242.917000] rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: {"),
    ("oom", "[  242.917000] Out of memory: Killed process 812 (java) total-vm:812344kB, anon-rss:1kB"),
    ("oom", "[  242.917000] Memory cgroup out of memory: Killed process 812 (java) total-vm:8kB"),
    ("oom", "[  242.917000] stress invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER), order=0"),
    ("emergency", 'You are in emergency mode. After logging in, type "journalctl -xb" to view'),
    ("emergency", "Give root password for maintenance"),
    ("emergency", "Press Enter for maintenance"),
    ("emergency", "(initramfs) "),
    ("uboot_reset", "resetting ..."),
    ("uboot_hang", "### ERROR ### Please RESET the board ###"),
]
HARMLESS = [
    '[   12.345678] audit: type=1400 audit(1.2:3): avc: denied { open } comm="x" name="BUG: report"',
    'audit: type=1326 audit(1700000000.1:9): exe="/bin/x" key="BUG: report"',
    "systemd[1]: Started watchdog for Kernel panic - not syncing.",
    "# echo 'Kernel panic - not syncing: test'",
    "[   12.345678] systemd[1]: Starting Kernel panic - not syncing handler...",
    "[   12.345678] ---[ end Kernel panic - not syncing: Fatal exception ]---",
    "Nov 21 10:00:00 board kernel: [   11.345678] BUG: scheduling while atomic: swapper/0/0/0x2",
    "Nov 21 10:00:00 board kernel: Kernel panic - not syncing: from another machine",
    "BUG: report number 7 was filed",
    "[   12.345678] Oopsie: the module says so",
    "Oops, something went wrong",
    "DEBUG: scheduling while atomic",
    "[   12.345678] DEBUG: kernel memory",
    "Internal error: disk full",
    "[   12.345678] random: 7 tasks blocked for more than needed",
    "[   12.345678] rcu: Hierarchical RCU implementation.",
    "[   12.345678] oom_reaper: reaped process 812 (java)",
    "app[77]: Out of memory: Killed process 1",
    "To leave the emergency mode, reboot: You are in emergency mode",
    "unpacking (initramfs) archive",
    "network: resetting ...",
    "ver=U-Boot 2023.01 (Jan 09 2023)",
    "U-Boot SPL board init",
    "[    3.000000] efi: Linux version 6.1.0 is not supported",
]


class Heard:
    """A transcript that is watched, on a clock in the hand of the test."""

    def __init__(self, *, allow: tuple[str, ...] = (), added: dict[str, str] | None = None) -> None:
        self.told: list[Alarm] = []
        self.transcript = Transcript(quiet=0.1)
        patterns = tuple(regex(text, name) for name, text in (added or {}).items())
        self.watch = Watch(self.transcript, Watching(self.told.append, frozenset(allow), patterns))
        self.transcript.listen(self.watch)
        self.now = 0.0

    def say(self, text: str | bytes, after: float = 0.0) -> Heard:
        self.wait(after)
        data = text.encode() if isinstance(text, str) else text
        self.watch.take(data)
        self.transcript.feed(data, self.now)
        self.watch.tick(self.now)
        return self

    def lines(self, *lines: str) -> Heard:
        return self.say("".join(f"{line}\r\n" for line in lines))

    def wait(self, seconds: float) -> Heard:
        self.now += seconds
        self.transcript.tick(self.now)
        self.watch.tick(self.now)
        return self

    @property
    def names(self) -> list[str]:
        return [alarm.name for alarm in self.told if alarm.state == "sure"]


@pytest.mark.parametrize(("name", "line"), FIRES, ids=lambda each: each[:60])
def test_each_of_these_lines_is_named(name: str, line: str) -> None:
    heard = Heard().lines("U-Boot 2023.01 (x)", "booting", line).wait(2)

    (seen, sure) = heard.told
    assert (seen.state, sure.state, sure.name) == ("seen", "sure", name)
    assert sure.title == TITLES[name]
    assert sure.line == re.sub(r"^(<\d>)?(\[[ \d.]+\])?(\[ *T\d\])? ?", "", line).strip()


def test_every_watcher_is_tried_above() -> None:
    assert {name for name, _ in FIRES} == {each.name for each in WATCHED}


@pytest.mark.parametrize("line", HARMLESS, ids=lambda each: each[:60])
def test_none_of_these_lines_is_an_alarm(line: str) -> None:
    assert Heard().lines("[    1.000000] usb 1-1: new device", line).wait(10).told == []
    assert Heard().lines("a kernel without stamps", line).wait(10).told == []


@pytest.mark.parametrize(("name", "line"), FIRES, ids=lambda each: each[:60])
def test_what_a_play_allows_is_no_alarm(name: str, line: str) -> None:
    assert Heard(allow=(name,)).lines("booting", line).wait(10).told == []


def test_it_is_told_at_once_and_again_after_two_seconds_with_what_followed() -> None:
    heard = Heard().lines("one", "two", "[   12.345678] Kernel panic - not syncing: x")
    assert [(each.state, each.tail) for each in heard.told] == [("seen", "")]

    heard.say("[   12.4] Call trace:\r\n", after=1.0).say("later\r\n", after=0.9).wait(0.05)
    assert len(heard.told) == 1
    heard.wait(0.1)

    sure = heard.told[1]
    assert sure.tail.splitlines() == [
        "one",
        "two",
        "[   12.345678] Kernel panic - not syncing: x",
        "[   12.4] Call trace:",
        "later",
    ]
    assert (sure.offset, sure.log_line) == (10, 3)


def test_what_follows_is_told_with_the_first_and_not_as_another_alarm() -> None:
    heard = Heard().lines(
        "[   12.345678] BUG: kernel NULL pointer dereference, address: 0000000000000000",
        "[   12.345679] Oops: 0002 [#1] PREEMPT SMP",
        "[   12.345680] Kernel panic - not syncing: Fatal exception",
    )

    (sure,) = heard.wait(2).told[1:]
    assert sure.name == "bug"
    assert sure.others == (
        "kernel oops: Oops: 0002 [#1] PREEMPT SMP",
        "kernel panic: Kernel panic - not syncing: Fatal exception",
    )


def test_a_long_tail_is_cut_in_the_middle_and_says_so() -> None:
    heard = Heard().lines("Kernel panic - not syncing: x", *[f"frame number {n}" for n in range(1000)])

    tail = heard.wait(2).told[1].tail
    assert len(tail) < 5000
    assert tail.startswith("Kernel panic")
    assert "more characters are in the log" in tail
    assert tail.endswith("frame number 999")


def test_a_line_without_an_end_counts_when_nothing_follows() -> None:
    heard = Heard().say("ALERT! no disk\r\n(initramfs) ")
    assert heard.told == []

    assert heard.wait(0.2).wait(2).names == ["emergency"]


def test_a_shell_that_is_back_at_its_prompt_is_no_second_emergency() -> None:
    heard = Heard().say("(initramfs) ").wait(3).say("ls\r\ndev\r\n(initramfs) ").wait(3)

    assert heard.names == ["emergency"]


def test_a_line_that_another_message_has_cut_is_still_known() -> None:
    heard = Heard().say("U-Boot 2023.01 (x)\r\nresett[    1.000000] usb 1-1: new\r\ning ...\r\n").wait(2)

    assert heard.names == ["uboot_reset"]


def test_patterns_of_the_play_are_alarms_too() -> None:
    heard = Heard(added={"sensor lost": r"^sensor\d+: lost"})
    heard.lines("sensor0: fine", "a sensor1: lost", "[    3.000000] sensor2: lost").wait(1)
    assert [each.line for each in heard.told] == []

    heard.lines("sensor3: lost").wait(2)
    heard.lines("sensor4: lost").wait(2)
    assert [(each.name, each.line) for each in heard.told if each.state == "sure"] == [
        ("sensor lost", "sensor3: lost"),
        ("sensor lost", "sensor4: lost"),
    ]


# --- kernels that stamp their messages -------------------------------------------------------------


def test_where_the_kernel_stamps_its_messages_a_line_without_a_stamp_is_not_its_own() -> None:
    heard = Heard().lines("[    3.141592] usb 1-1: new device", "Kernel panic - not syncing: quoted").wait(5)

    assert heard.told == []


def test_after_a_new_start_it_is_open_again_whether_the_kernel_stamps_its_messages() -> None:
    heard = Heard(allow=("reset",)).lines("[    3.141592] usb 1-1: new", UBOOT)
    heard.lines("Kernel panic - not syncing: x").wait(2)

    assert heard.names == ["panic"]


def test_a_message_much_older_than_the_last_one_was_read_from_a_log() -> None:
    heard = Heard().lines("[  100.000000] usb 1-1: new", "[    5.000000] BUG: Bad page state").wait(5)
    assert heard.told == []

    heard.lines("[   99.900000] BUG: Bad page state").wait(5)
    assert heard.names == ["bug"]


# --- what commands print ---------------------------------------------------------------------------


def printed(heard: Heard, *lines: str, reads_log: bool = False) -> Heard:
    start = heard.transcript.position
    heard.lines(*lines)
    heard.watch.ended(start, heard.transcript.position, reads_log=reads_log)
    return heard.wait(5)


@pytest.mark.parametrize(
    "line",
    [
        "Kernel panic - not syncing: in a file",
        "[   12.345678] Kernel panic - not syncing: in a file",
        "BUG: unable to handle a file",
        "(initramfs) in a file",
        UBOOT,
        LINUX,
    ],
)
def test_what_a_command_has_printed_that_ended_is_quoted(line: str) -> None:
    heard = printed(Heard().lines(SPL, UBOOT, LINUX), line)

    assert [each.state for each in heard.told] in ([], ["seen", "nothing"])


def test_an_oops_among_the_output_of_a_command_counts_unless_the_command_reads_the_log() -> None:
    oops = "[   12.345678] Internal error: Oops: 96000004 [#1] SMP"

    assert printed(Heard(), oops).names == ["oops"]
    assert printed(Heard(), oops, reads_log=True).names == []


def test_a_banner_in_the_output_of_a_command_is_no_stage_of_a_start() -> None:
    heard = Heard()
    heard.watch.reached(3)
    printed(heard, LINUX)

    assert heard.lines(LINUX).wait(5).names == []
    assert heard.lines(SPL).wait(5).names == ["reset"]


# --- resets ----------------------------------------------------------------------------------------


def test_one_start_is_no_reset_and_the_next_one_is() -> None:
    heard = Heard().lines(SPL, UBOOT, LINUX).wait(20)
    assert heard.told == []

    assert heard.lines(SPL).wait(4).names == ["reset"]


@pytest.mark.parametrize(
    ("first", "then"), list(pairwise([LINUX, UBOOT, SPL])) + [(each, each) for each in (SPL, UBOOT, LINUX)]
)
def test_a_banner_that_is_not_later_than_the_last_is_a_reset(first: str, then: str) -> None:
    assert Heard().lines(first).wait(20).lines(then).wait(5).names == ["reset"]


def test_a_start_after_switching_the_power_is_no_reset() -> None:
    heard = Heard().lines(SPL, UBOOT, LINUX)
    heard.watch.power_on()

    assert heard.lines(SPL, UBOOT, LINUX).wait(10).told == []


def test_a_reset_that_was_asked_for_is_expected_once_and_for_some_time() -> None:
    heard = Heard().lines(SPL, UBOOT, LINUX)
    heard.watch.boots.expect(heard.now + 60)
    assert heard.lines("resetting ...", SPL, UBOOT, LINUX).wait(10).told == []
    assert heard.lines(SPL).wait(5).names == ["reset"]

    heard.watch.boots.expect(heard.now + 60)
    assert heard.wait(61).lines(SPL).wait(5).names == ["reset", "reset"]


def test_a_board_that_has_answered_at_its_shell_has_started_whatever_was_seen() -> None:
    heard = Heard()
    heard.watch.reached(4)

    assert heard.lines(SPL).wait(5).names == ["reset"]


def test_the_reset_behind_a_panic_is_part_of_it() -> None:
    heard = Heard().lines(LINUX, "[    9.000000] Kernel panic - not syncing: x").wait(10)

    assert heard.lines(SPL, UBOOT, LINUX).wait(10).names == ["panic"]


@pytest.mark.parametrize("pause", [0.1, 1.0, 3.9])
def test_a11_the_same_banner_three_times_in_ten_seconds_is_a_reset_loop(pause: float) -> None:
    heard = Heard()
    heard.watch.power_on()
    for _ in range(3):
        heard.lines(SPL, "DRAM: 256 MiB").wait(pause)

    assert heard.wait(4.5).names == ["reset_loop"]


def test_a_loop_is_told_within_five_seconds_of_its_first_reset() -> None:
    heard = Heard().lines(SPL).wait(1).lines(SPL).wait(3.9).lines(SPL).wait(0.7)

    assert heard.names == ["reset_loop"]


def test_three_starts_with_the_power_switched_between_are_no_loop() -> None:
    heard = Heard()
    for _ in range(4):
        heard.watch.power_on()
        heard.lines(SPL, UBOOT).wait(1)

    assert heard.wait(5).told == []


def test_three_starts_in_more_than_ten_seconds_are_resets_each() -> None:
    heard = Heard().lines(SPL).wait(6).lines(SPL).wait(6).lines(SPL).wait(6)

    assert heard.names == ["reset", "reset"]


# --- power -----------------------------------------------------------------------------------------


def test_what_is_not_decided_when_the_power_is_switched_does_not_count() -> None:
    heard = Heard().lines("Kernel panic - not syncing: x").wait(1)
    heard.watch.power_on()

    assert [(each.state, each.name, each.why) for each in heard.wait(5).told] == [
        ("seen", "panic", ""),
        ("nothing", "panic", "the power was switched"),
    ]


def test_a_board_whose_power_is_taken_away_may_say_what_it_likes_until_it_starts() -> None:
    heard = Heard(added={"own": "dying"}).lines(SPL, UBOOT, LINUX)
    heard.watch.power_lost()
    heard.lines("[    9.000000] Kernel panic - not syncing: x", "dying").wait(5)
    assert heard.told == []

    heard.lines(SPL, "Kernel panic - not syncing: x").wait(5)
    assert heard.names == ["panic"]


def test_a_board_that_answers_has_power() -> None:
    heard = Heard().lines(SPL, UBOOT, LINUX)
    heard.watch.power_lost()
    heard.watch.reached(4)

    assert heard.lines("[    9.000000] Kernel panic - not syncing: x").wait(5).names == ["panic"]


def test_what_is_not_decided_at_the_end_counts() -> None:
    heard = Heard().lines("Kernel panic - not syncing: x")
    heard.watch.finish()

    assert heard.names == ["panic"]


# --- however the bytes are cut ---------------------------------------------------------------------

WORDS = [SPL, UBOOT, LINUX, *(line for _, line in FIRES), *HARMLESS, "[  300.000000] usb 1-1: new", "# "]


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from(WORDS), max_size=12).map(lambda lines: "".join(f"{each}\r\n" for each in lines)),
    st.lists(st.integers(min_value=1, max_value=90), min_size=1, max_size=6),
)
def test_a07_the_same_bytes_in_other_pieces_are_the_same_alarms(text: str, sizes: list[int]) -> None:
    whole = Heard(added={"own": r"usb \d"}).say(text).wait(5)
    pieces = Heard(added={"own": r"usb \d"})
    at = step = 0
    while at < len(text):
        size = sizes[step % len(sizes)]
        pieces.say(text[at : at + size])
        at, step = at + size, step + 1

    assert pieces.wait(5).told == whole.told


def test_a_megabyte_without_an_end_of_line_is_no_burden() -> None:
    heard = Heard()
    for _ in range(256):
        heard.say(b"x" * 4096)

    assert heard.say("\r\nKernel panic - not syncing: x\r\n").wait(2).told[-1].offset == 256 * 4096 + 2
