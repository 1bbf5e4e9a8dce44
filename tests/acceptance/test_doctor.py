"""`runner doctor` on real OpenSSH servers, and on hosts that cannot be reached."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.command import LIMIT, runner, started
from support.ssh_lab import SIMULATED, inventory
from support.ssh_server import SshServer, free_port, make_key, ssh_server

pytestmark = pytest.mark.peer("sshd")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SshServer]:
    with ssh_server(tmp_path / "shelf1") as it:
        yield it


def found(done: Any) -> dict[tuple[str, str, str], dict[str, str]]:
    return {(each["host"], each["bench"], each["what"]): each for each in json.loads(done.stdout)}


def test_a_host_that_is_well_is_green_and_nothing_is_left_there(server: SshServer, tmp_path: Path) -> None:
    lab = inventory(tmp_path, {"shelf1": server.options()}, {"sim-01": {"host": "shelf1", **SIMULATED}})
    before = sorted(server.home.rglob("*"))
    done = runner(tmp_path, "doctor", "shelf1", "-i", lab)

    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert (lines[0], lines[-1]) == ("shelf1", "all is well")
    for what in ("reach", "python", "clock", "disk", "locks", "policy", "sim-01 held", "sim-01 device board"):
        assert any(line.startswith(f"  ok    {what} ") for line in lines), what
    assert sorted(server.home.rglob("*")) == before


def test_all_hosts_are_looked_at_and_each_fault_says_what_to_do(server: SshServer, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    make_key(stranger)
    nobody = tmp_path / "nobody_known"
    nobody.touch()
    hosts = {
        "shelf1": server.options(),
        "off": server.options(port=free_port()),
        "nameless": server.options(address="no-such-host.invalid"),
        "unknown": server.options(known_hosts=str(nobody)),
        "locked": server.options(identity_file=str(stranger)),
        "program": server.options(identity_file=str(stranger), transport="openssh"),
        "old": server.options(python="/nowhere/python3"),
    }
    devices = {
        "console": {"driver": "serial", "port": "/dev/serial/by-id/usb-none"},
        "board": {"driver": "qemu", "binary": "qemu-system-none"},
    }
    lab = inventory(tmp_path, hosts, {"rpi4": {"host": "shelf1", "devices": devices}})
    done = runner(tmp_path, "doctor", "-i", lab, "-o", "json")
    all_ = found(done)
    red = {key: each["todo"] for key, each in all_.items() if each["state"] == "red"}

    assert done.returncode == 1
    assert all_["localhost", "", "reach"]["state"] == "ok"
    assert {host: what for host, _bench, what in red if what.startswith("reach")} == {
        "off": "reach: refused",
        "nameless": "reach: name",
        "unknown": "reach: host key",
        "locked": "reach: authentication",
        "program": "reach: authentication",
        "old": "reach: python",
    }
    assert (
        all_["shelf1", "rpi4", "device console"]["said"]
        == "/dev/serial/by-id/usb-none: No such file or directory"
    )
    assert "apt install qemu-system-arm" in red["shelf1", "rpi4", "device board"]
    assert all(red.values())


def test_policy_and_holder_are_told(tmp_path: Path) -> None:
    policy = tmp_path / "policy.conf"
    policy.write_text("drivers = serial\nusers = *\n", encoding="utf-8")
    settings = f"HOME={tmp_path} RUNNER_LOCKS={tmp_path} RUNNER_POLICY={policy}"
    with ssh_server(tmp_path / "shelf1", SetEnv=settings) as server:
        lab = inventory(
            tmp_path,
            {"shelf1": server.options()},
            {"b": {"host": "shelf1", "devices": {"disk": {"driver": "file", "path": "/dev/null"}}}},
        )
        first = found(runner(tmp_path, "doctor", "b", "-i", lab, "-o", "json"))
        policy.write_text("forwards = localhost:80\n", encoding="utf-8")
        with started(tmp_path, "forward", "b", "80", "-i", lab) as holding:
            assert holding.stdout is None or holding.stdout.readline()
            second = runner(tmp_path, "doctor", "b", "-i", lab, "-o", "json")
            holding.terminate()
            holding.wait(LIMIT)
        policy.write_text("nonsense\n", encoding="utf-8")
        third = runner(tmp_path, "doctor", "b", "-i", lab)

    assert first["shelf1", "b", "device disk"]["state"] == "red"
    assert f"{policy}:1: drivers = serial" in first["shelf1", "b", "device disk"]["said"]
    assert second.returncode == 0
    assert "held by runner forward" in found(second)["shelf1", "b", "held"]["said"]
    assert third.returncode == 1
    assert f"{policy}:1: 'nonsense' is no line of a policy" in third.stdout


def test_a_wrong_name_is_the_callers_fault(tmp_path: Path) -> None:
    done = runner(tmp_path, "doctor", "localhots")
    assert done.returncode == 2
    assert "localhost" in done.stderr
