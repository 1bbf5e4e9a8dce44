"""What becomes of a bench whose run is cut off or killed in the middle of its work."""

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.cable import machine
from support.command import started, wait_until
from support.ssh_lab import inventory
from support.ssh_server import SshServer, ssh_server

from runner.agent.locks import Locks

pytestmark = pytest.mark.peer("sshd")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with ssh_server(tmp_path / "shelf1") as it:
        yield it


def bench(folder: Path, host: str) -> dict[str, Any]:
    """Describe a bench that leaves a file when it is switched off."""
    off = folder / f"{host}.off"
    power = {"driver": "command", "turn_on": "true", "turn_off": f"touch {off}.new; mv {off}.new {off}"}
    return {"host": host, "devices": {"power": power}, "on_release": [{"power_off": None}]}


def outcomes(folder: Path) -> dict[str, str]:
    """Return how each case of the latest run ended."""
    lines = (folder / "results" / "latest" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    events = (json.loads(line) for line in lines)
    return {each["case"]: each["outcome"] for each in events if each["event"] == "case_finished"}


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def parent_of(pid: int) -> int:
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return int(stat.rpartition(")")[2].split()[1])


def flashing(folder: Path) -> str:
    """Write a recipe whose step, on far benches, writes to a file for ever, as to a card."""
    (folder / "flash.yaml").write_text(
        "tests:\n"
        "  - test: flash\n    steps:\n"
        "      - command: [sh, -c, 'test {{ bench.name }} = near || { "
        f"echo $PPID $$ > {folder}/pids.new; mv {folder}/pids.new {folder}/pids; "
        f"(while :; do echo x >> {folder}/card; sleep 0.02; done) & wait; }}']\n"
        "  - {test: later, steps: [{power_on: }]}\n",
        encoding="utf-8",
    )
    return "flash.yaml"


def is_still(file: Path) -> bool:
    """Tell whether nobody writes to a file for a while."""
    before = file.stat().st_size
    time.sleep(0.3)
    return file.stat().st_size == before


@pytest.mark.peer("netns")
def test_a_pulled_cable_ends_the_hold_there_and_here_blocks_only_its_bench(tmp_path: Path) -> None:
    with (
        machine(1) as far,
        machine(2) as near,
        ssh_server(tmp_path / "shelf1", address=far.address, inside=far.inside) as shelf1,
        ssh_server(tmp_path / "shelf2", address=near.address, inside=near.inside) as shelf2,
    ):
        hosts = {"far": shelf1.options(dead_after="6s"), "near": shelf2.options()}
        lab = inventory(tmp_path, hosts, {"far": bench(tmp_path, "far"), "near": bench(tmp_path, "near")})
        process = started(tmp_path, "play", flashing(tmp_path), "-i", lab)
        wait_until((tmp_path / "card").exists, "the flash is under way")
        agent, step = map(int, (tmp_path / "pids").read_text(encoding="utf-8").split())
        far.pull()
        pulled = time.monotonic()
        wait_until((tmp_path / "far.off").exists, "its host has switched the bench off", 60)
        off = time.monotonic() - pulled
        wait_until(lambda: gone(agent) and gone(step), "everything there has ended", 30)
        wait_until(lambda: not Locks(lambda: shelf1.folder).standing("far").held, "the bench is free")
        wait_until(lambda: is_still(tmp_path / "card"), "nobody writes to the card any more")
        out, _ = process.communicate(timeout=90)

    assert off > 3.0
    assert process.returncode == 3, out
    assert outcomes(tmp_path) == {
        "flash::flash@far": "error",
        "flash::later@far": "blocked",
        "flash::flash@near": "passed",
        "flash::later@near": "passed",
    }
    assert "the agent of host 'far' gave no sign of life for 20s" in out
    lost = re.search(r"error +flash::flash@far +([0-9.]+) s", out)
    assert lost is not None
    assert float(lost[1]) < 75  # from the begin of the step; the cable was pulled soon after


@pytest.mark.parametrize("victim", ["agent", "controller", "sshd"])
def test_a_kill_in_the_middle_of_a_flash_ends_it_and_switches_off(
    server: SshServer, tmp_path: Path, victim: str
) -> None:
    lab = inventory(tmp_path, {"shelf1": server.options()}, {"far": bench(tmp_path, "shelf1")})
    process = started(tmp_path, "play", flashing(tmp_path), "-i", lab)
    wait_until((tmp_path / "card").exists, "the flash is under way")
    agent, step = map(int, (tmp_path / "pids").read_text(encoding="utf-8").split())
    killed = {"agent": agent, "controller": process.pid, "sshd": parent_of(parent_of(agent))}[victim]
    os.kill(killed, signal.SIGKILL)

    wait_until((tmp_path / "shelf1.off").exists, "the power is off", 30)
    wait_until(lambda: gone(agent) and gone(step), "everything there has ended", 30)
    wait_until(lambda: is_still(tmp_path / "card"), "nobody writes to the card any more")
    out, _ = process.communicate(timeout=60)
    wait_until(lambda: not Locks(lambda: server.folder).standing("far").held, "the bench is free")
    if victim != "controller":
        assert process.returncode == 3, out
        assert outcomes(tmp_path) == {"flash::flash@far": "error", "flash::later@far": "blocked"}
