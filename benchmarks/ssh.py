"""What steps over SSH cost, beside Ansible, Mitogen and pyinfra, on a real sshd of this machine."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import ssh_peers
from measure import BIN, QUIET, have, say, seconds, slope

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.ssh_server import SshServer, missing, ssh_server  # the server that the tests use

RUNNER = str(BIN / "runner")
FEW, MANY = 30, 300
MANY_HOSTS, STEPS_EACH = 50, 10

Command = Callable[[Path, SshServer, int, int], Sequence[str]]


def ours(
    folder: Path, server: SshServer, steps: int, hosts: int = 1, transport: str = "paramiko"
) -> list[str]:
    """Return the command that plays a recipe on so many hosts, all of them this server."""
    lab = folder / f"lab-{transport}-{hosts}.yaml"
    options = server.options(transport=transport)
    devices = {"power": {"driver": "mock"}}
    named = {
        "hosts": {f"shelf{number}": options for number in range(hosts)},
        "benches": {f"b{number}": {"host": f"shelf{number}", "devices": devices} for number in range(hosts)},
    }
    lab.write_text(json.dumps(named), encoding="utf-8")
    path = folder / f"true{steps}.yaml"
    written = "tests:\n  - test: many\n    steps:\n" + "      - command: [/bin/true]\n" * steps
    path.write_text(written, encoding="utf-8")
    return [RUNNER, "play", str(path), "-i", str(lab), "--results", str(folder / "results")]


def main() -> None:
    """Print our figures, each peer's, and the ratios."""
    if missing():
        say("SSH", "not measured", missing())
        return
    QUIET.pop("SSH_AUTH_SOCK", None)
    with (
        tempfile.TemporaryDirectory() as name,
        ssh_server(Path(name) / "shelf1", MaxStartups="200", MaxSessions="200") as server,
    ):
        folder = Path(name)
        thirty, step = measure(folder, server, "paramiko")
        measure(folder, server, "openssh")
        beside(folder, server, thirty, step)
        many_hosts(folder, server)


def measure(folder: Path, server: SshServer, transport: str) -> tuple[float, float]:
    """Return what 30 steps take, and what one more takes."""

    def command(steps: int) -> list[str]:
        return ours(folder, server, steps, transport=transport)

    first = seconds(command(1), cwd=folder)
    say(f"first step with start-up, {transport}", f"{first:.3f} s", "at most 0.40 s")
    thirty = seconds(command(FEW), cwd=folder)
    say(f"{FEW} steps, {transport}", f"{thirty:.3f} s")
    step = slope(command, FEW, MANY, cwd=folder)
    say(f"`command: [/bin/true]` over SSH, {transport}", f"{step * 1e3:.2f} ms", "at most 1.5 ms")
    return thirty, step


def beside(folder: Path, server: SshServer, thirty: float, step: float) -> None:
    """Print the same of each peer: (command, its program, most steps, wanted of 30 steps, of a step)."""
    peers: tuple[tuple[str, Command, str, int, str, str], ...] = (
        ("pyinfra", ssh_peers.pyinfra, "pyinfra", MANY, "at most 1 : 3", "at most 1 : 20"),
        ("Mitogen", ssh_peers.mitogen, "mitogen", MANY // 3, "at most 1 : 3", ""),
        ("Ansible, pipelined", ssh_peers.ansible, "ansible-playbook", 50, "at most 1 : 12", ""),
    )
    for peer, command, program, most, wanted, wanted_step in peers:
        if not _there(program):
            say(peer, "not installed", "make bench")
            continue
        its_thirty = seconds(command(folder, server, FEW, 1), cwd=folder, times=3)
        its_many = seconds(command(folder, server, most, 1), cwd=folder, times=3)
        its_step = (its_many - its_thirty) / (most - FEW)
        say(f"{FEW} steps with {peer}", f"{its_thirty:.2f} s")
        say("  ours : its", f"1 : {its_thirty / thirty:.1f}", wanted)
        say(f"one more step with {peer}", f"{its_step * 1e3:.1f} ms")
        say("  ours : its", f"1 : {its_step / step:.0f}", wanted_step)


def many_hosts(folder: Path, server: SshServer) -> None:
    """Print what 50 hosts take that play 10 steps each, beside Ansible with 50 forks."""
    our_time = seconds(ours(folder, server, STEPS_EACH, MANY_HOSTS), cwd=folder, times=1)
    say(f"{MANY_HOSTS} hosts, {STEPS_EACH} steps each", f"{our_time:.2f} s")
    if _there("ansible-playbook"):
        its = seconds(ssh_peers.ansible(folder, server, STEPS_EACH, MANY_HOSTS), cwd=folder, times=1)
        say(f"  with Ansible, {MANY_HOSTS} forks", f"{its:.2f} s")
        say("  ours : Ansible's", f"1 : {its / our_time:.1f}")


def _there(program: str) -> bool:
    import importlib.util

    return (
        importlib.util.find_spec("ansible_mitogen") is not None
        if program == "mitogen"
        else bool(have(program))
    )


if __name__ == "__main__":
    main()
