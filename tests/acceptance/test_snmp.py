"""A board on an outlet that is switched over SNMP, from the outlet to the console and back, all of it real."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pysnmp
import pytest
from support.command import runner, wait_until
from support.peers import UBOOT
from support.reports import Report
from support.snmpd import APC, AUTH_KEY, METERS, PRIV_KEY, Snmpd, snmpd
from support.ssh_lab import inventory
from support.ssh_server import ssh_server

pytestmark = pytest.mark.peer("snmpd")

RECIPE = """\
name: An outlet, a board and its console
setup:
  - power_off:
tests:
  - test: the board comes to U-Boot when the outlet gives it power
    steps:
      - uboot_enter: {off_time: 100ms, within: 60s}
      - uboot_cmd: version
        expect: result.output is search('U-Boot')
  - test: power taken away is power gone
    steps:
      - uboot_env: {set: {memory: kept}}
      - power_cycle: {off_time: 200ms, within: 60s}
        register: cycled
        expect: cycled.verified == 'state and console'
      - uboot_enter: {power: none, within: 60s}
      - uboot_env: memory
        expect: result.values.memory is none
  - test: the outlet can be asked itself
    steps:
      - snmp_get: OUTLET
        expect: result.value == 1
      - snmp_set: {oid: OUTLET, value: 2}
        expect: result.before == 1 and result.after == 2
      - power_on: {within: 60s}
        expect: result.previous == 'off' and result.state == 'on'
teardown:
  - power_off:
""".replace("OUTLET", f"{APC}.1")


@contextlib.contextmanager
def board(folder: Path) -> Iterator[tuple[str, str]]:
    """Start a machine that waits in reset; yield its monitor and its serial port."""
    monitors, serial = folder / "monitor", folder / "serial"
    command = ["qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a57", "-accel", "tcg", "-S"]
    command += ["-bios", str(UBOOT), "-display", "none", "-nodefaults"]
    command += ["-qmp", f"unix:{monitors},server=on,wait=off"]
    command += ["-chardev", f"socket,id=s,path={serial},server=on,wait=off", "-serial", "chardev:s"]
    process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stdin=subprocess.DEVNULL)
    try:
        wait_until(lambda: monitors.exists() and serial.exists(), "QEMU listens", 60)
        yield str(monitors), str(serial)
    finally:
        process.kill()
        process.wait(10)


def lab(agent: Snmpd, more: str = "") -> str:
    return f"""\
benches:
  desk:
    devices:
      power:
        driver: snmp
        host: 127.0.0.1
        port: {agent.port}
        preset: apc
        outlet: 1
        user: sha-aes128
        auth_protocol: sha
        auth_key: !env AUTH_KEY
        priv_protocol: aes128
        priv_key: !env PRIV_KEY
{more}"""


@pytest.mark.peer("qemu")
@pytest.mark.peer("socat")
def test_the_whole_way_from_the_outlet_to_the_console(tmp_path: Path) -> None:
    port = tmp_path / "tty"
    with board(tmp_path) as (monitor, serial):
        cable = ["socat", f"pty,raw,echo=0,link={port}", f"unix-connect:{serial}"]
        with (
            snmpd(tmp_path / "agent", machine=monitor) as agent,
            subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *cable]) as joined,
        ):
            wait_until(port.exists, "socat has made a port")
            console = f"      console: {{driver: serial, port: {port}}}\n"
            (tmp_path / "lab.yaml").write_text(lab(agent, console), encoding="utf-8")
            (tmp_path / "board.yaml").write_text(RECIPE, encoding="utf-8")
            done = runner(
                tmp_path, "play", "board.yaml", "-i", "lab.yaml", AUTH_KEY=AUTH_KEY, PRIV_KEY=PRIV_KEY
            )
            joined.terminate()
            assert (done.returncode, done.stderr) == (0, ""), done.stdout
            assert agent.calls()[0] == "1=2"
            assert agent.calls()[-1] == "1=2"
    assert set(Report(tmp_path / "results" / "latest").outcomes.values()) == {"passed"}
    events = (tmp_path / "results" / "latest" / "events.jsonl").read_text(encoding="utf-8")
    assert AUTH_KEY not in events + done.stdout


@pytest.mark.peer("sshd")
@pytest.mark.peer("tmpfs")
@pytest.mark.peer("debian cryptography")
def test_a_host_that_has_only_python_switches_outlets(tmp_path: Path) -> None:
    """The server is in a view of the file system in which pysnmp's folder is empty; cryptography is Debian's."""
    library = Path(pysnmp.__file__).parent
    hidden = f'mount -t tmpfs t "{library}" && exec "$0" "$@"'
    inside = ("unshare", "--mount", "--propagation", "private", "sh", "-c", hidden)
    with ssh_server(tmp_path / "shelf1", inside=inside) as server, snmpd(tmp_path / "agent") as agent:
        pdu = {"driver": "snmp", "preset": "apc", "outlet": "3-4", **agent.v3("sha-aes128")}
        benches = {"desk": {"host": "shelf1", "devices": {"power": pdu}}}
        path = inventory(tmp_path, {"shelf1": server.options()}, benches)
        recipe = f"""\
tests:
  - test: it switches
    steps:
      - power_on:
        expect: result.previous == 'off' and result.state == 'on'
      - snmp_walk: {METERS}
        expect: result.values | length == 4
      - power_off:
"""
        (tmp_path / "r.yaml").write_text(recipe, encoding="utf-8")
        done = runner(tmp_path, "play", "r.yaml", "-i", path)

        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert agent.calls() == ["3=1", "4=1", "3=2", "4=2"]


def test_a_refusal_names_bench_device_outlet_and_address(tmp_path: Path) -> None:
    with snmpd(tmp_path / "agent") as agent:
        (tmp_path / "lab.yaml").write_text(lab(agent).replace("outlet: 1", "outlet: 7"), encoding="utf-8")
        (tmp_path / "r.yaml").write_text("steps:\n  - power_on:\n", encoding="utf-8")
        done = runner(tmp_path, "play", "r.yaml", "-i", "lab.yaml", AUTH_KEY=AUTH_KEY, PRIV_KEY=PRIV_KEY)

    where = f"'power' on bench 'desk' (outlet 7 of snmp://127.0.0.1:{agent.port})"
    assert done.returncode == 3
    assert f"{where} could not be switched on: snmp://127.0.0.1:{agent.port} refused to set" in done.stdout
    assert "notWritable" in done.stdout


WRONG = {
    "version: 2c, community: x, user: lab": ("lab", "user: SNMP 2c knows no users"),
    "version: 1": ("power", "SNMP 1 needs a community"),
    "user: lab, auth_protocol: sha": ("sha", "sha needs a key"),
    "user: lab, auth_protocol: sha, auth_key: short": ("short", "auth_key is too short: a passphrase has"),
    "user: lab, priv_protocol: des, priv_key: long-enough": ("des", "privacy (des) needs authentication"),
    "user: lab, outlet: 4-3": ("4-3", "'4-3' does not count up"),
    "user: lab, preset: custom": ("power", "preset custom needs oid"),
    "user: lab, state_oid: sysName": ("sysName", "'sysName' is no OID in numbers"),
    "user: lab, readings: {power: {oid: sysPower}}": ("sysPower", "'sysPower' is no OID in numbers"),
}
"""What is written, where it is pointed at, and what is said."""


def test_options_that_do_not_fit_are_found_before_anything_moves(tmp_path: Path) -> None:
    text, expected = "benches:\n", []
    for number, (options, (at, message)) in enumerate(WRONG.items()):
        preset = "" if "preset" in options else "preset: apc, "
        outlet = "" if "outlet" in options else "outlet: 1, "
        line = f"  b{number}: {{devices: {{power: {{driver: snmp, host: x, {preset}{outlet}{options}}}}}}}\n"
        expected.append((f"lab.yaml:{number + 2}:{line.index(at) + 1}: error[", message))
        text += line
    (tmp_path / "lab.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "r.yaml").write_text("steps:\n  - power_on:\n", encoding="utf-8")

    done = runner(tmp_path, "check", "r.yaml", "-i", "lab.yaml")

    assert done.returncode == 2
    told = done.stderr.splitlines()
    missed = [each for each in expected if not any(each[0] in line and each[1] in line for line in told)]
    assert missed == [], done.stderr
