"""Recipes whose benches are on real OpenSSH servers, played with the command."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.command import interrupt, runner, started, wait_until
from support.peers import ROOT, UBOOT
from support.reports import Report
from support.ssh_lab import SIMULATED, inventory, tree
from support.ssh_server import SshServer, ssh_server

pytestmark = pytest.mark.peer("sshd")
LIMIT = 60.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with ssh_server(tmp_path / "shelf1") as it:
        yield it


def on(host: str, **bench: Any) -> dict[str, Any]:
    return {"host": host, **bench}


def test_the_quickstart_passes_unchanged_and_leaves_nothing_on_the_host(
    server: SshServer, tmp_path: Path
) -> None:
    lab = inventory(tmp_path, {"shelf1": server.options()}, {"sim-01": on("shelf1", **SIMULATED)})
    before = tree(server.home)
    done = runner(tmp_path, "play", str(ROOT / "recipes" / "quickstart.yaml"), "-i", lab)

    assert (done.returncode, done.stderr) == (0, "")
    assert "bench sim-01 on shelf1" in done.stdout
    assert set(Report(tmp_path / "results" / "latest").outcomes.values()) == {"passed"}
    assert tree(server.home) == before
    assert not list(server.temporary.iterdir())


@pytest.mark.peer("pillow of Debian")
def test_a_board_with_screen_and_camera_is_accepted_unchanged(server: SshServer, tmp_path: Path) -> None:
    parts = {part: {"ref": f"pi.{part}"} for part in ("power", "console", "storage", "hdmi", "camera")}
    pi = {"driver": "sim_rpi4", "firmware": {"bootdelay": 0}}
    bench = on("shelf1", labels={"board": "rpi4"}, vars={"settle": "0s"}, devices={"pi": pi, **parts})
    lab = inventory(tmp_path, {"shelf1": server.options()}, {"rpi4-sim": bench})
    done = runner(tmp_path, "play", str(ROOT / "recipes" / "rpi4_acceptance.yaml"), "-i", lab)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert set(Report(tmp_path / "results" / "latest").outcomes.values()) == {"passed"}
    assert (tmp_path / "results/latest/artifacts/rpi4-sim/desktop.jpg").read_bytes()[:2] == b"\xff\xd8"
    assert not list(server.temporary.iterdir())


@pytest.mark.peer("qemu")
def test_a_real_uboot_on_the_host_passes_unchanged(server: SshServer, tmp_path: Path) -> None:
    devices = {"board": {"driver": "qemu", "bios": str(UBOOT), "disk": {"capacity": "16MiB"}}}
    lab = inventory(
        tmp_path,
        {"shelf1": server.options()},
        {"qemu-uboot": on("shelf1", labels={"board": "qemu"}, devices=devices)},
    )
    done = runner(tmp_path, "play", str(ROOT / "recipes" / "qemu_uboot.yaml"), "-i", lab)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert set(Report(tmp_path / "results" / "latest").outcomes.values()) == {"passed"}
    assert not list(server.temporary.iterdir())


@pytest.mark.peer("guest")
def test_a_real_linux_on_the_host_passes_unchanged_and_its_kernel_travels(
    server: SshServer, tmp_path: Path
) -> None:
    board = {
        "driver": "qemu",
        "kernel": "{{ guest | default('') }}/Image",
        "initrd": "{{ guest | default('') }}/initrd.gz",
        "append": "console=ttyAMA0",
        "disk": {"capacity": "16MiB"},
    }
    lab = inventory(
        tmp_path,
        {"shelf1": server.options()},
        {"qemu-linux": on("shelf1", labels={"board": "qemu"}, devices={"board": board})},
    )
    done = runner(tmp_path, "play", str(ROOT / "recipes" / "qemu_linux.yaml"), "-i", lab)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert set(Report(tmp_path / "results" / "latest").outcomes.values()) == {"passed"}
    assert not list(server.temporary.iterdir())


def test_a_library_behind_a_driver_and_the_users_own_module_travel(server: SshServer, tmp_path: Path) -> None:
    board, port = os.openpty()
    threading.Thread(target=_echo_lines, args=(board,), daemon=True).start()
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "greet.py").write_text(
        '"""Says hello."""\nimport socket\n\nfrom runner.api import Context, Module, arg\n'
        "from runner.console import Console\nfrom runner.api import device\n\n\n"
        'class Greet(Module):\n    """Say hello to the console."""\n\n'
        '    whom: str = arg(primary=True, help="whom")\n    console: Console = device()\n\n'
        "    def run(self, context: Context) -> None:\n"
        "        self.console.send(f'hello {self.whom}\\n'.encode(), context)\n",
        encoding="utf-8",
    )
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "steps:\n  - greet: board\n  - expect_console: {pattern: 'you said hello board', within: 60s}\n",
        encoding="utf-8",
    )
    devices = {"console": {"driver": "serial", "port": os.ttyname(port)}}
    lab = inventory(tmp_path, {"shelf1": server.options()}, {"b": on("shelf1", devices=devices)})
    done = runner(tmp_path, "play", str(recipe), "-i", lab)
    os.close(port)

    assert done.returncode == 0, done.stdout + done.stderr


def _echo_lines(board: int) -> None:
    line = b""
    while not line.endswith(b"\n"):
        line += os.read(board, 100)
    os.write(board, b"you said " + line)


def test_a_host_that_cannot_be_reached_is_a_lab_error_of_its_benches_alone(
    server: SshServer, tmp_path: Path
) -> None:
    hosts = {"shelf1": server.options(), "shelf2": server.options(address="no-such-host.invalid")}
    power = {"devices": {"power": {"driver": "mock"}}}
    lab = inventory(tmp_path, hosts, {"far": on("shelf2", **power), "near": on("shelf1", **power)})
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        "tests:\n  - {test: one, steps: [{power_on: }]}\n  - {test: two, steps: [{power_on: }]}\n",
        encoding="utf-8",
    )
    done = runner(tmp_path, "play", str(recipe), "-i", lab)

    assert done.returncode == 3, done.stdout
    assert outcomes(tmp_path) == {
        "recipe::one@near": "passed",
        "recipe::two@near": "passed",
        "recipe::one@far": "blocked",
        "recipe::two@far": "blocked",
    }
    assert "the name 'no-such-host.invalid' has no address" in done.stdout


def test_an_interrupt_does_not_wait_for_a_host_that_says_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        hosts = {"shelf1": {"address": "127.0.0.1", "port": mute.getsockname()[1], "known_hosts": "none"}}
        lab = inventory(tmp_path, hosts, {"far": on("shelf1", devices={"power": {"driver": "mock"}})})
        recipe = tmp_path / "recipe.yaml"
        recipe.write_text("steps:\n  - power_on:\n", encoding="utf-8")
        process = started(tmp_path, "play", str(recipe), "-i", lab)
        client, _ = mute.accept()
        interrupt(process)
        out, _ = process.communicate(timeout=LIMIT)
        client.close()

    assert process.returncode == 130
    assert "does not talk SSH" not in out
    assert outcomes(tmp_path) == {"recipe::power_on@far": "cancelled"}


def outcomes(folder: Path) -> dict[str, str]:
    """Return how each case of the latest run ended."""
    lines = (folder / "results" / "latest" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    events = (json.loads(line) for line in lines)
    return {each["case"]: each["outcome"] for each in events if each["event"] == "case_finished"}


def test_a_bench_whose_agent_dies_is_blocked_and_the_others_go_on(tmp_path: Path) -> None:
    with ssh_server(tmp_path / "shelf1") as first, ssh_server(tmp_path / "shelf2") as second:
        command = {"devices": {"power": {"driver": "mock"}}}
        lab = inventory(
            tmp_path,
            {"shelf1": first.options(), "shelf2": second.options()},
            {"dies": on("shelf1", **command), "lives": on("shelf2", **command)},
        )
        recipe = tmp_path / "recipe.yaml"
        diary = tmp_path / "pid"
        recipe.write_text(
            "tests:\n"
            "  - test: waits\n    steps:\n"
            f"      - command: [sh, -c, 'test {{{{ bench.name }}}} = lives || {{ echo $PPID > {diary}.new; "
            f"mv {diary}.new {diary}; exec sleep 60; }}']\n"
            "  - {test: later, steps: [{power_on: }]}\n",
            encoding="utf-8",
        )
        process = started(tmp_path, "play", str(recipe), "-i", lab)
        wait_until(diary.exists, "the step runs there", LIMIT)
        os.kill(int(diary.read_text(encoding="utf-8")), signal.SIGKILL)
        out, _ = process.communicate(timeout=LIMIT)

    assert process.returncode == 3, out
    assert outcomes(tmp_path) == {
        "recipe::waits@dies": "error",
        "recipe::later@dies": "blocked",
        "recipe::waits@lives": "passed",
        "recipe::later@lives": "passed",
    }
    assert "the agent of host 'shelf1' died: killed by SIGKILL" in out


def test_when_the_run_is_killed_the_host_switches_off_ends_all_and_frees_the_bench(
    server: SshServer, tmp_path: Path
) -> None:
    switched = tmp_path / "switched"
    power = {"driver": "command", "turn_on": "true", "turn_off": f"touch {switched}"}
    steps = [{"log": "bye"}, {"power_off": None}]
    lab = inventory(
        tmp_path,
        {"shelf1": server.options()},
        {"b": on("shelf1", devices={"power": power}, on_release=steps)},
    )
    recipe = tmp_path / "recipe.yaml"
    diary = tmp_path / "pid"
    recipe.write_text(
        f"steps:\n  - command: [sh, -c, 'echo $$ > {diary}.new; mv {diary}.new {diary}; exec sleep 600']\n",
        encoding="utf-8",
    )
    process = started(tmp_path, "play", str(recipe), "-i", lab)
    wait_until(diary.exists, "the step runs there", LIMIT)
    process.kill()
    process.communicate(timeout=LIMIT)
    pid = diary.read_text(encoding="utf-8").strip()
    wait_until(lambda: not Path(f"/proc/{pid}").exists(), "what it started has ended", LIMIT)
    wait_until(switched.exists, "the power is off", LIMIT)

    recipe.write_text("steps:\n  - power_on:\n", encoding="utf-8")
    done = runner(tmp_path, "play", str(recipe), "-i", lab, "--wait", "60s")
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_of_paramiko_is_loaded_for_benches_of_this_machine(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("steps:\n  - power_on:\n", encoding="utf-8")
    lab = inventory(tmp_path, {}, {"b": {"devices": {"power": {"driver": "mock"}}}})
    done = subprocess.run(
        [str(Path(sys.executable)), "-X", "importtime", "-m", "runner", "play", str(recipe), "-i", lab],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=LIMIT,
        check=True,
    )
    assert "paramiko" not in done.stderr
