"""Power as a person meets it: what --check says before, and what is said afterwards."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from support.command import LIMIT, interrupt, runner, started, wait_until

LAB = """
benches:
  desk:
    devices:
      power: {driver: mock, record: desk.calls}
      console: {driver: serial, port: nowhere}
  blind:
    devices: {power: {driver: mock, record: blind.calls, readable: false}}
  gone:
    devices: {power: {driver: mock, fails: [open]}}
"""
CHECKED = """
benches: all
tests:
  - test: "on"
    steps:
      - power_on:
  - test: "off"
    steps:
      - power_off:
"""


def locks(folder: Path) -> str:
    """Return where the locks are: not where those of other tests, with benches of the same names, are."""
    return str(folder / "locks")


def calls(folder: Path, bench: str) -> list[str]:
    """Return what a pretended supply was asked."""
    return (folder / f"{bench}.calls").read_text(encoding="utf-8").split()


def test_check_reads_switches_and_says_what_would_change(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text(LAB, encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text(CHECKED, encoding="utf-8")

    done = runner(tmp_path, "play", "recipe.yaml", "-i", "lab.yaml", "--check", RUNNER_LOCKS=locks(tmp_path))

    for line in (
        "info desk: would switch on 'power' on bench 'desk': it is off\n",
        "info desk: 'power' on bench 'desk' is off already: nothing would change\n",
        "info blind: would switch off 'power' on bench 'blind': its state cannot be read\n",
        "the pretended supply does not answer, as it was told\n",
    ):
        assert line in done.stdout
    assert done.returncode == 3
    assert calls(tmp_path, "desk") == ["open", "state", "state", "close"]
    assert set(calls(tmp_path, "blind")) == {"open", "state", "close"}
    result = json.loads((tmp_path / "results" / "latest" / "results.json").read_text(encoding="utf-8"))
    assert {case["bench"]: case["outcome"] for case in result["cases"]} == {
        "desk": "passed",
        "blind": "passed",
        "gone": "error",
    }


LATE = """
benches: desk
tests:
  - test: it answers when nobody waits any more
    steps:
      - power_on: {within: 50ms}
        expect_error: {class: unreachable, match: did not answer within 50ms}
  - test: the agent is there all the same
    steps:
      - power_off:
        retries: 400
        delay: 50ms
        retry_on: [error]
"""


def test_a_switch_that_answers_after_its_step_does_no_harm(tmp_path: Path) -> None:
    lab = "benches:\n  desk: {devices: {power: {driver: mock, readable: false, delay: 1s}}}\n"
    (tmp_path / "lab.yaml").write_text(lab, encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text(LATE, encoding="utf-8")

    done = runner(tmp_path, "play", "recipe.yaml", "-i", "lab.yaml", RUNNER_LOCKS=locks(tmp_path))

    assert done.returncode == 0, done.stdout


RACK = """
benches:
  desk:
    on_release: [{power_off: }]
    devices:
      pdu:
        driver: command
        turn_on: echo on > relay
        turn_off: echo off > relay
        tell_state: cat relay
        tell_reading: echo 5 0.42
  two:
    devices: {a: {driver: mock}, b: {driver: mock, readable: false}}
"""


@pytest.fixture
def rack(tmp_path: Path) -> Path:
    """Return a folder with an inventory, and a relay that is off."""
    (tmp_path / "lab.yaml").write_text(RACK, encoding="utf-8")
    (tmp_path / "relay").write_text("off\n", encoding="utf-8")
    return tmp_path


def by_hand(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `runner power` on the benches of the rack."""
    return runner(folder, "power", *arguments, "-i", "lab.yaml", RUNNER_LOCKS=locks(folder))


def events(folder: Path) -> str:
    """Return what the latest run has told so far."""
    found = folder / "results" / "latest" / "events.jsonl"
    return found.read_text(encoding="utf-8") if found.exists() else ""


def test_what_is_switched_by_hand_is_read_back_and_stays_so(rack: Path) -> None:
    done = by_hand(rack, "desk", "on")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "BENCH  DEVICE  STATE  PREVIOUS  VERIFIED",
        "desk   pdu     on     off       state",
    ]
    assert (rack / "relay").read_text(encoding="utf-8") == "on\n"

    done = by_hand(rack, "desk", "cycle", "--off-time", "10ms", "-o", "json")
    assert json.loads(done.stdout) == {
        "bench": "desk",
        "device": "pdu",
        "state": "on",
        "previous": "on",
        "verified": "state",
    }


def test_a_supply_is_measured_and_described_by_hand(rack: Path) -> None:
    figures = {"voltage": 5.0, "current": 0.42, "power": 2.1, "apparent_power": 2.1}

    read = by_hand(rack, "desk", "read", "--count", "2", "--interval", "1ms", "-o", "json")
    assert [json.loads(line) for line in read.stdout.splitlines()] == [figures] * 2

    info = json.loads(by_hand(rack, "desk", "info", "-o", "json").stdout)
    assert (info["outlet"], info["state"], info["capabilities"]) == (
        "echo on > relay",
        "off",
        ["state", "read"],
    )


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("two", "on"), 2, "say which: --device a or --device b"),
        (("two", "on", "--device", "c"), 2, "bench 'two' has no device 'c'"),
        (("desk", "read", "--force"), 2, "--force is for on and off, not for read"),
        (("desk", "cycle", "--by-switch", "--off-time", "1s"), 2, "the switch chooses the time"),
        (("desk", "off", "--force"), 3, "'pdu' on bench 'desk' (echo on > relay) could not be forced off"),
    ],
)
def test_what_cannot_be_done_by_hand_is_said_and_nothing_is_switched(
    rack: Path, arguments: tuple[str, ...], code: int, told: str
) -> None:
    done = by_hand(rack, *arguments)

    assert (done.returncode, done.stdout) == (code, "")
    assert told in done.stderr
    assert (rack / "relay").read_text(encoding="utf-8") == "off\n"


def test_a_switch_that_cannot_be_read_says_so(rack: Path) -> None:
    done = by_hand(rack, "two", "on", "--device", "b")

    assert done.stdout.splitlines()[1].endswith("cannot be read  cannot be read  none")
    assert "it ends with this command" in done.stderr


def test_a_bench_that_somebody_holds_is_not_switched_unless_by_force(rack: Path) -> None:
    (rack / "held.yaml").write_text("benches: desk\nsteps: [{wait: 5m}]\n", encoding="utf-8")
    holding = started(rack, "play", "held.yaml", "-i", "lab.yaml", RUNNER_LOCKS=locks(rack))
    try:
        wait_until(lambda: '"step_started"' in events(rack), "the run has the bench", LIMIT)
        refused = by_hand(rack, "desk", "on")
        relay = (rack / "relay").read_text(encoding="utf-8")
        stolen = by_hand(rack, "desk", "on", "--steal")
    finally:
        interrupt(holding)
        holding.communicate(timeout=LIMIT)

    assert refused.returncode == 4
    assert "is held by" in refused.stderr
    assert "--steal" in refused.stderr
    assert relay == "off\n"
    assert (stolen.returncode, stolen.stdout.split()[-3:]) == (0, ["on", "off", "state"])
    assert (rack / "relay").read_text(encoding="utf-8") == "off\n"


UNPLUGGED = """
benches: desk
tests:
  - test: it goes off
    steps: [{power_off: }]
  - test: nobody can tell whether it has gone off
    steps: [{power_off: {verify: console}}]
  - test: it does not go on
    steps: [{power_on: }]
"""


def test_a_console_that_cannot_be_opened_keeps_power_from_going_on_and_not_from_going_off(
    tmp_path: Path,
) -> None:
    (tmp_path / "lab.yaml").write_text(
        LAB.replace(
            "      console: {driver: serial, port: nowhere}\n",
            "      console: {driver: serial, port: nowhere}\n    on_release: [{power_off: }]\n",
        ),
        encoding="utf-8",
    )
    (tmp_path / "recipe.yaml").write_text(UNPLUGGED, encoding="utf-8")

    done = runner(tmp_path, "play", "recipe.yaml", "-i", "lab.yaml", RUNNER_LOCKS=locks(tmp_path))

    result = json.loads((tmp_path / "results" / "latest" / "results.json").read_text(encoding="utf-8"))
    outcomes = {case["test"]: case["outcome"] for case in result["cases"]}
    assert outcomes == {
        "it goes off": "passed",
        "nobody can tell whether it has gone off": "error",
        "it does not go on": "error",
    }
    assert done.returncode == 3
    assert done.stdout.count("    cannot open the serial port 'nowhere'") == 2
    assert "warning desk: console is not listened to: cannot open the serial port 'nowhere'" in done.stdout
    assert [each for each in calls(tmp_path, "desk") if each in ("on", "off")] == ["off", "off"]
