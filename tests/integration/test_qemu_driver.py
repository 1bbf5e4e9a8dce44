"""QEMU with a real U-Boot, as a board."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.peers import UBOOT
from support.plain_context import PlainContext

from runner.api import Duration, LabError, Unreachable
from runner.console import Chunk, Console
from runner.modules.machine.options import Disk
from runner.modules.machine.qemu import Qemu

pytestmark = pytest.mark.peer("qemu")
LIMIT = Duration("2m")


class Bench:
    """A machine with its console read from."""

    def __init__(self, machine: Qemu) -> None:
        self.machine = machine
        self.machine.open()
        self.console: Console = machine.console()
        self.chunks: list[Chunk] = []
        self.console.start(self.chunks.append, "board.console")
        self.context = PlainContext()

    def enter_uboot(self) -> None:
        self.console.power_mark()
        self.machine.power().on()
        self.console.enter_uboot(self.context, within=LIMIT)

    def run(self, command: str) -> str:
        ran = self.console.run_uboot(command, self.context, timeout=LIMIT)
        assert ran.status == 0, ran
        return ran.output

    def printed(self) -> bytes:
        return b"".join(chunk.data for chunk in self.chunks)

    def wait_for_gap(self, beginning: str) -> str:
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            for chunk in self.chunks:
                if chunk.gap.startswith(beginning):
                    return chunk.gap
            time.sleep(0.01)
        raise AssertionError(f"no gap {beginning!r}")

    def close(self) -> None:
        self.console.stop()
        self.machine.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench(Qemu(bios=str(UBOOT), disk=Disk(capacity=2**20), start_limit=LIMIT))
    yield bench
    bench.close()


def test_its_console_begins_with_the_very_first_byte(bench: Bench) -> None:
    bench.enter_uboot()

    assert bench.printed().startswith(b"\r\n\r\nU-Boot 20")


def test_it_runs_commands_at_the_prompt(bench: Bench) -> None:
    bench.enter_uboot()

    assert bench.run("version").startswith("U-Boot 20")
    assert "DHCP client bound to address 10.0.2.15" in bench.run("setenv autoload no; dhcp")


def test_what_is_flashed_is_read_by_the_board(bench: Bench) -> None:
    storage = bench.machine.storage()
    storage.write(512, b"flashed from outside".ljust(512, b"."))
    storage.flush()
    bench.enter_uboot()

    assert "flashed from out" in bench.run("virtio read 40200000 1 1; md.b 40200000 10")


def test_what_the_board_writes_is_read_from_outside(bench: Bench) -> None:
    bench.enter_uboot()
    bench.run("mw.b 40200000 5a 200; virtio write 40200000 3 1")
    bench.machine.power().off()

    assert bench.machine.storage().read(3 * 512, 512) == b"Z" * 512


def test_its_medium_is_not_written_while_it_runs(bench: Bench) -> None:
    bench.machine.power().on()

    with pytest.raises(LabError, match="while the machine runs"):
        bench.machine.storage().write(0, b"x")


def test_a_power_cycle_is_a_new_start(bench: Bench) -> None:
    bench.enter_uboot()
    bench.run("setenv lost 1")
    bench.machine.power().off()
    bench.enter_uboot()

    ran = bench.console.run_uboot("printenv lost", bench.context, timeout=LIMIT)
    assert ran.status == 1
    assert not [chunk.gap for chunk in bench.chunks if chunk.gap]


def test_its_monitor_answers_and_refuses(bench: Bench) -> None:
    with pytest.raises(LabError, match="the machine is off"):
        bench.machine.monitor("query-status", {})
    bench.machine.power().on()

    assert bench.machine.monitor("query-status", {}) == {
        "status": "running",
        "singlestep": False,
        "running": True,
    }
    with pytest.raises(LabError, match="QEMU refuses 'no-such-command'"):
        bench.machine.monitor("no-such-command", {})


def test_a_reset_by_the_monitor_starts_uboot_again(bench: Bench) -> None:
    bench.enter_uboot()
    bench.console.mark("reset")
    bench.machine.monitor("system_reset", {})

    bench.console.expect("U-Boot 20", bench.context, within=LIMIT, since="reset")


def test_qemu_that_is_killed_is_noticed_and_can_be_started_again(bench: Bench) -> None:
    bench.enter_uboot()
    os.kill(_pid(bench.machine), signal.SIGKILL)

    assert "QEMU has ended by itself, killed by SIGKILL" in bench.wait_for_gap("lost")
    assert bench.machine.power().state() == "off"
    with pytest.raises(LabError, match="the machine is off"):
        bench.machine.monitor("query-status", {})
    bench.wait_for_gap("open again")
    bench.enter_uboot()
    assert bench.run("echo again") == "again"


def test_qemu_that_does_not_start_says_why() -> None:
    machine = Qemu(bios="/no/such/firmware", start_limit=LIMIT)
    machine.open()

    with pytest.raises(LabError, match=r"QEMU does not start: .*no/such/firmware") as caught:
        machine.power().on()
    assert caught.value.evidence["status"] == 1
    assert machine.power().state() == "off"
    machine.close()


def test_a_program_that_is_not_there_is_unreachable() -> None:
    machine = Qemu(binary="qemu-system-nothing")
    machine.open()

    with pytest.raises(Unreachable, match="cannot start 'qemu-system-nothing'"):
        machine.power().on()
    machine.close()


def test_a_program_that_is_not_qemu_is_given_up_in_time(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\nexec sleep 1000\n", encoding="utf-8")
    program.chmod(0o755)
    machine = Qemu(binary=str(program), start_limit=Duration("300ms"))
    machine.open()
    started = time.monotonic()

    with pytest.raises(LabError, match="does not answer on its monitor"):
        machine.power().on()
    assert time.monotonic() - started < LIMIT
    machine.close()


def test_a_machine_whose_console_nobody_reads_runs_all_the_same() -> None:
    machine = Qemu(bios=str(UBOOT), start_limit=LIMIT)
    machine.open()
    machine.power().on()

    assert machine.power().state() == "on"
    assert machine.monitor("query-status", {})
    machine.close()


def _pid(machine: Qemu) -> int:
    assert machine.pid is not None
    return machine.pid
