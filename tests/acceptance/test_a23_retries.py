"""A23: a retry that passes is flaky, with every attempt to be seen; and benches in quarantine."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from lxml import etree
from support.command import runner
from support.peers import ROOT

SCHEMAS = ROOT / "tests" / "support" / "schemas"
FASTER = "firmware: {bootdelay: 0}, system: {boot_time: 100ms}"
LAB = """
benches:
  rack-1:
    devices:
      board: {{driver: sim, {faster}, faults: {{{faults}}}}}
    recover: [{ladder}]
"""
RECIPE = """
timeout: {step: 60s}
setup:
  - power_on:
  - console_login: {user: root}
tests:
  - test: restarts
    retries: {max: 2, on: [error]}
    steps:
      - console_cmd: echo attempt-$((20+3))
      - power_cycle: {off_time: 600ms}
      - console_login: {user: root}
"""


def write(folder: Path, *, faults: str, ladder: str, recipe: str = RECIPE) -> tuple[str, str, str]:
    """Write a recipe and an inventory; return the arguments of the command."""
    (folder / "recipe.yaml").write_text(recipe, encoding="utf-8")
    (folder / "lab.yaml").write_text(
        LAB.format(faster=FASTER, faults=faults, ladder=ladder), encoding="utf-8"
    )
    return "recipe.yaml", "-i", "lab.yaml"


def results(folder: Path) -> dict[str, object]:
    text = (folder / "results" / "latest" / "results.json").read_text(encoding="utf-8")
    found: dict[str, object] = json.loads(text)
    return found


def test_a23_a_pass_on_the_second_attempt_is_flaky_and_both_attempts_are_in_every_report(
    tmp_path: Path,
) -> None:
    arguments = write(tmp_path, faults="outlet_fails: [off], outlet_fail_times: 1", ladder="ctrl_c")
    done = runner(tmp_path, "play", *arguments)

    folder = tmp_path / "results" / "latest"
    (case,) = results(tmp_path)["cases"]
    (bad,) = case["attempts"]
    raw = (folder / "console" / "rack-1.board.console.raw").read_bytes()
    (first,) = (raw[part["start"] : part["end"]] for part in bad["console"])
    (last,) = (raw[part["start"] : part["end"]] for part in case["console"])
    assert done.returncode == 0
    assert (case["outcome"], case["reason"]) == ("flaky", "passed on attempt 2")
    assert (bad["number"], bad["outcome"], bad["problem"]["blame"]) == (1, "error", "lab")
    assert "500 Internal Server Error" in bad["problem"]["message"]
    assert bad["recovery"] == ["ctrl_c: passed"]
    assert b"attempt-23" in first
    assert b"attempt-23" in last
    assert b"U-Boot" not in first
    assert b"U-Boot" in last

    assert "again     recipe::restarts@rack-1  attempt 2" in done.stdout
    assert "flaky     recipe::restarts@rack-1" in done.stdout
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "attempt 1 did not pass" in page
    assert "then ctrl_c: passed" in page
    assert "console of this attempt" in page


def test_a23_junit_has_an_element_for_each_bad_attempt_that_jenkins_and_surefire_take(
    tmp_path: Path,
) -> None:
    arguments = write(tmp_path, faults="outlet_fails: [off], outlet_fail_times: 2", ladder="ctrl_c")
    runner(tmp_path, "play", *arguments)

    path = tmp_path / "results" / "latest" / "junit.xml"
    document = etree.parse(path)
    etree.XMLSchema(etree.parse(SCHEMAS / "jenkins.xsd")).assertValid(document)
    for suite in document.getroot():
        etree.XMLSchema(etree.parse(SCHEMAS / "surefire.xsd")).assertValid(suite)
    case = ET.parse(path).getroot().find(".//testcase")
    assert case is not None
    assert [child.tag for child in case] == ["flakyError", "flakyError", "system-out"]
    for number, attempt in enumerate(case.findall("flakyError"), start=1):
        assert attempt.get("type") == "LabError"
        assert "could not be switched off" in attempt.get("message", "")
        assert f"attempt {number}: " in (attempt.findtext("stackTrace") or "")
        assert "attempt-23" in (attempt.findtext("system-out") or "")
    assert ET.parse(path).getroot().get("errors") == "0"


@pytest.mark.parametrize(("flags", "code"), [((), 0), (("--strict-flaky",), 1)])
def test_a23_strict_flaky_makes_a_flaky_case_fail_the_run(
    tmp_path: Path, flags: tuple[str, ...], code: int
) -> None:
    arguments = write(tmp_path, faults="outlet_fails: [off], outlet_fail_times: 1", ladder="ctrl_c")
    done = runner(tmp_path, "play", *arguments, *flags)

    assert done.returncode == code
    assert results(tmp_path)["cases"][0]["outcome"] == "flaky"


def test_a23_retries_can_be_asked_for_on_the_command_line(tmp_path: Path) -> None:
    recipe = RECIPE.replace("    retries: {max: 2, on: [error]}\n", "")
    arguments = write(tmp_path, faults="outlet_fails: [off], outlet_fail_times: 1", ladder="", recipe=recipe)

    assert runner(tmp_path, "play", *arguments).returncode == 3
    assert runner(tmp_path, "play", *arguments, "--retries", "1").returncode == 0
    assert results(tmp_path)["counts"] == {"flaky": 1}


def test_the_rungs_are_tried_in_turn_on_a_board_that_hangs_and_end_with_one_that_helps(
    tmp_path: Path,
) -> None:
    """After ``poweroff`` no key helps, not even the kernel's magic one: only the power does."""
    recipe = """
timeout: {step: 60s}
setup:
  - power_on:
  - console_login: {user: root}
  - console_send: {text: poweroff, enter: true}
  - expect_console: Power down
tests:
  - test: is alive
    retries: 3
    steps:
      - command: if mkdir FOLDER/tried; then echo 3s; else echo 60s; fi
        register: limit
      - console_login: {user: root, within: "{{ limit.stdout | trim }}"}
""".replace("FOLDER", str(tmp_path))
    ladder = (
        "{ctrl_c: 1s}, {sysrq_reboot: {by: shell, within: 1s}}, {power_cycle: {off_time: 600ms}}, quarantine"
    )
    done = runner(tmp_path, "play", *write(tmp_path, faults="", ladder=ladder, recipe=recipe))

    (case,) = results(tmp_path)["cases"]
    assert done.returncode == 0, done.stdout
    assert [each["recovery"] for each in case["attempts"]] == [
        ["ctrl_c 1s: failed", "sysrq_reboot: failed", "power_cycle 600ms: passed"]
    ]


def test_a_quarantine_is_honoured_by_later_runs_until_it_is_cleared(tmp_path: Path) -> None:
    arguments = write(
        tmp_path, faults="relay: stuck", ladder="{power_cycle: {within: 1s, off_time: 600ms}}, quarantine"
    )
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE.replace("power_cycle: {", "power_cycle: {within: 1s, "), encoding="utf-8")

    first = runner(tmp_path, "play", *arguments)
    listed = runner(tmp_path, "list", "benches", "-i", "lab.yaml", "-o", "json")
    second = runner(tmp_path, "play", *arguments)
    cleared = runner(tmp_path, "quarantine", "rack-1", "--clear", "-i", "lab.yaml")
    third = runner(tmp_path, "play", *arguments)

    assert first.returncode == 3
    assert "bench rack-1 is in quarantine now" in first.stdout
    (row,) = json.loads(listed.stdout)
    assert row["state"].startswith("quarantined since 20")
    assert "recipe::restarts@rack-1: 'board.power' on bench 'rack-1'" in row["state"]
    assert "still reads on" in row["state"]
    assert second.returncode == 4
    assert "blocked   recipe::restarts@rack-1" in second.stdout
    assert "hint: when it is fit again: runner quarantine rack-1 --clear" in second.stdout
    assert (cleared.returncode, "may be taken again" in cleared.stdout) == (0, True)
    assert third.returncode == 3


@pytest.mark.parametrize("instrument", ["driver: mock", "driver: command, turn_on: 'true', turn_off: 'true'"])
def test_a_bench_is_put_into_quarantine_by_hand(tmp_path: Path, instrument: str) -> None:
    (tmp_path / "recipe.yaml").write_text(
        "benches: rack\ntake: 1\ntests:\n  - test: t\n    steps: [{log: x}]\n", encoding="utf-8"
    )
    (tmp_path / "lab.yaml").write_text(
        f"benches:\n  rack-[1:2]:\n    devices:\n      power: {{{instrument}}}\n"
        "groups:\n  rack: {benches: ['rack-1', 'rack-2']}\n",
        encoding="utf-8",
    )

    put = runner(tmp_path, "quarantine", "rack-1", "--reason", "fan dead", "-i", "lab.yaml", "-o", "json")
    other = runner(tmp_path, "play", "recipe.yaml", "-i", "lab.yaml")
    runner(tmp_path, "quarantine", "rack-2", "-i", "lab.yaml")
    none = runner(tmp_path, "play", "recipe.yaml", "-i", "lab.yaml")
    both = runner(tmp_path, "quarantine", "rack", "--clear", "-i", "lab.yaml")
    again = runner(tmp_path, "play", "recipe.yaml", "-i", "lab.yaml")

    (said,) = json.loads(put.stdout)
    assert (said["bench"], said["quarantined"], said["reason"]) == ("rack-1", True, "fan dead")
    assert "@" in said["who"]
    assert (other.returncode, "passed    recipe::t@rack-2" in other.stdout) == (0, True)
    assert "bench rack-1 is left out: quarantined" in other.stdout
    assert none.returncode == 4
    assert "fan dead" in none.stdout
    assert both.stdout.count("may be taken again") == 2
    assert again.returncode == 0


def test_clearing_takes_no_reason(tmp_path: Path) -> None:
    done = runner(tmp_path, "quarantine", "sim", "--clear", "--reason", "x")

    assert (done.returncode, "--clear takes no --reason" in done.stderr) == (2, True)
