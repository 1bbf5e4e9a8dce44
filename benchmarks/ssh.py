"""What steps over SSH cost: our slope and start beside Ansible's with pipelining, on a real sshd of this machine."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from measure import BIN, QUIET, have, say, seconds, slope

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.ssh_server import PYTHON, SshServer, missing, ssh_server  # the server that the tests use

RUNNER = str(BIN / "runner")
FEW, MANY = 30, 300
ANSIBLE_FEW, ANSIBLE_MANY = 3, 13


def inventory(folder: Path, server: SshServer, **options: str) -> str:
    path = folder / f"lab{'-'.join(options.values())}.yaml"
    benches = {"b": {"host": "shelf1", "devices": {"power": {"driver": "mock"}}}}
    path.write_text(
        json.dumps({"hosts": {"shelf1": server.options(**options)}, "benches": benches}), encoding="utf-8"
    )
    return str(path)


def commands(folder: Path, lab: str, steps: int) -> list[str]:
    path = folder / f"true{steps}.yaml"
    path.write_text(
        "tests:\n  - test: many\n    steps:\n" + "      - command: [/bin/true]\n" * steps, encoding="utf-8"
    )
    return [RUNNER, "play", str(path), "-i", lab, "--results", str(folder / "results")]


def ansible_book(folder: Path, server: SshServer, steps: int) -> list[str]:
    path = folder / f"true{steps}.ansible.yaml"
    path.write_text(
        "- hosts: all\n  gather_facts: false\n  tasks:\n" + "    - command: /bin/true\n" * steps,
        encoding="utf-8",
    )
    options = server.options()
    given = {
        "ansible_host": options["address"],
        "ansible_port": options["port"],
        "ansible_user": options["user"],
        "ansible_ssh_private_key_file": options["identity_file"],
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={options['known_hosts']}",
        "ansible_python_interpreter": PYTHON,
        "ansible_pipelining": True,
    }
    (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": {"shelf1": given}}}), encoding="utf-8")
    return [str(have("ansible-playbook")), "-i", str(folder / "hosts.json"), str(path)]


def main() -> None:
    if missing():
        say("SSH", "not measured", missing())
        return
    QUIET.pop("SSH_AUTH_SOCK", None)
    with tempfile.TemporaryDirectory() as name, ssh_server(Path(name) / "shelf1") as server:
        folder = Path(name)
        paramiko = measure(folder, inventory(folder, server), "paramiko")
        measure(folder, inventory(folder, server, transport="openssh"), "openssh")
        if not have("ansible-playbook"):
            say("Ansible", "not installed", "make bench")
            return
        peer = slope(
            lambda steps: ansible_book(folder, server, steps),
            ANSIBLE_FEW,
            ANSIBLE_MANY,
            cwd=folder,
            times=3,
        )
        say("the same with Ansible, pipelined", f"{peer * 1e3:.1f} ms")
        say("  ours / Ansible's", f"1 : {peer / paramiko:.0f}", "at most 1 : 12")


def measure(folder: Path, lab: str, transport: str) -> float:
    first = seconds(commands(folder, lab, 1), cwd=folder)
    say(f"first step with start-up, {transport}", f"{first:.3f} s", "at most 0.40 s")
    thirty = seconds(commands(folder, lab, FEW), cwd=folder)
    say(f"{FEW} steps, {transport}", f"{thirty:.3f} s")
    step = slope(lambda steps: commands(folder, lab, steps), FEW, MANY, cwd=folder)
    say(f"`command: [/bin/true]` over SSH, {transport}", f"{step * 1e3:.2f} ms", "at most 1.5 ms")
    return step


if __name__ == "__main__":
    main()
