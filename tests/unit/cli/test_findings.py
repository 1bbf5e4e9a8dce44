from typing import Any

import pytest

from runner.api import LabError
from runner.cli.findings import of_bench, of_device, of_host, unreachable

FACTS: dict[str, Any] = {
    "user": "hil",
    "host": "shelf1",
    "python": "3.11.2",
    "groups": ["adm", "hil"],
    "disks": [{"path": "/tmp", "free": 2**32, "total": 2**34, "left": 0}],
    "locks": {"folder": "/run/lock/runner", "kind": "tmpfs", "error": "", "hint": ""},
    "policy": {"path": "/etc/p", "there": False, "writable": False, "lines": [], "broken": ""},
}
NODE: dict[str, Any] = {
    "path": "/dev/ttyS4",
    "there": True,
    "readable": True,
    "writable": True,
    "owner": "root",
    "group": "dialout",
    "mode": "crw-rw----",
    "overruns": 0,
}
FINE: dict[str, Any] = {"error": "", "nodes": [], "programs": {}, "libraries": {}}


def host(offset: float = 0.0, **facts: Any) -> list[tuple[str, str, str, str]]:
    found = of_host("s", {**FACTS, **facts}, 0.4, offset, 0.1)
    return [(each.what, each.state, each.said, each.todo) for each in found]


def red(found: list[tuple[str, str, str, str]]) -> list[tuple[str, str, str]]:
    return [(what, said, todo) for what, state, said, todo in found if state == "red"]


def test_a_host_that_is_well_has_no_red_line() -> None:
    assert red(host()) == []
    assert [what for what, *_ in host()] == ["reach", "python", "clock", "disk", "locks", "policy"]


@pytest.mark.parametrize(
    ("facts", "what", "said", "todo"),
    [
        ({"offset": -7.5}, "clock", "7.50 s behind this machine's", "timedatectl"),
        ({"disks": [{"path": "/tmp", "free": 2**20, "total": 2**34, "left": 3}]}, "disk", "/tmp: 1 MiB of 16 GiB free", "runner-files-* of 3 agents"),
        ({"disks": [{"path": "/t", "error": "No such file"}]}, "disk", "/t: No such file", "TMPDIR"),
        ({"locks": {"folder": "", "kind": "", "error": "on a network file system (nfs)", "hint": "set RUNNER_LOCKS"}}, "locks", "(nfs)", "set RUNNER_LOCKS"),
        ({"policy": {**FACTS["policy"], "broken": "p:2: no line"}}, "policy", "p:2: no line", "looks after the host"),
        ({"policy": {**FACTS["policy"], "there": True, "writable": True}}, "policy", "/etc/p can be changed by its user", "chown root"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_host_is_red_and_says_what_to_do(
    facts: dict[str, Any], what: str, said: str, todo: str
) -> None:
    ((name, told, do),) = red(host(**facts))
    assert name == what
    assert said in told
    assert todo in do


@pytest.mark.parametrize(
    ("device", "said", "todo"),
    [
        ({"nodes": [{**NODE, "readable": False, "writable": False}]}, "/dev/ttyS4 cannot be read or written by hil: it is crw-rw---- of root and group dialout, and the login is in adm, hil", "usermod -aG dialout hil"),
        ({"nodes": [{**NODE, "writable": False, "group": "root", "mode": "crw-r--r--"}]}, "cannot be written by hil", "a rule of udev"),
        ({"nodes": [{**NODE, "writable": False, "group": "plugdev", "mode": "crw-r-----"}]}, "cannot be written by hil", "a rule of udev"),
        ({"nodes": [{"path": "/dev/serial/by-id/a", "there": False, "why": "No such file or directory", "beside": ["b", "c"]}]}, "/dev/serial/by-id/a: No such file", "there are: b, c"),
        ({"nodes": [{**NODE, "overruns": 12}]}, "has lost 12 times", "rtscts"),
        ({"programs": {"qemu-system-arm": {"package": "qemu-system-arm", "path": ""}}}, "no program qemu-system-arm", "on shelf1: apt install qemu-system-arm"),
        ({"libraries": {"gpiod": "python3-libgpiod"}}, "no Python module gpiod", "apt install python3-libgpiod"),
        ({"libraries": {"libusb-1.0.so.0": "libusb-1.0-0"}}, "no library libusb", "apt install libusb-1.0-0"),
        ({"error": "driver 'x' is not allowed", "hint": "ask"}, "driver 'x' is not allowed", "ask"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_device_is_red_and_says_what_to_do(
    device: dict[str, Any], said: str, todo: str
) -> None:
    (found,) = of_device("s", "b", "console", {**FINE, **device}, FACTS)
    assert (found.state, found.bench, found.what) == ("red", "b", "device console")
    assert said in found.said
    assert todo in found.todo


def test_a_device_that_is_there_is_fine_and_a_file_may_come_later() -> None:
    absent = {"path": "/srv/disk.img", "there": False, "why": "No such file", "beside": []}
    found = list(of_device("s", "b", "d", {**FINE, "nodes": [NODE, absent]}, FACTS))
    assert [each.state for each in found] == ["ok", "note"]
    assert "no overruns" in found[0].said


def test_who_holds_a_bench_is_no_fault_but_a_quarantine_is() -> None:
    free = {"held": False, "holder": None, "waiting": [], "reserved": None, "quarantine": None}
    holder = {"holder": "run 7", "who": "ana@desk", "pid": 4, "since": "10:00"}
    assert of_bench("s", "b", free).said == "free"
    held = of_bench("s", "b", {**free, "held": True, "holder": holder, "waiting": [None]})
    assert (held.state, "run 7 (ana@desk" in held.said, "1 waiting" in held.said) == ("note", True, True)
    away = of_bench("s", "b", {**free, "quarantine": {"since": "x", "who": "bo", "reason": "smoke"}})
    assert (away.state, "runner quarantine b --clear" in away.todo) == ("red", True)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("s1 (me@x:22): the name 'x' has no address: unknown", "name"),
        ("s1 (me@x:22): connection refused", "refused"),
        ("s1 (me@x:22): no answer within 15s", "time-out"),
        ("s1 (me@x:22): its ssh-ed25519 key SHA256:abc is not known", "host key"),
        ("s1 (me@x:22): nobody was let in as 'me': ", "authentication"),
        ("ssh could not connect: Permission denied (publickey).", "authentication"),
        ("the agent of host 's1' died", "agent"),
    ],
)
def test_why_a_host_cannot_be_reached_is_one_word(message: str, kind: str) -> None:
    found = unreachable("s1", LabError(message))
    assert (found.what, found.state, bool(found.todo)) == (f"reach: {kind}", "red", True)
