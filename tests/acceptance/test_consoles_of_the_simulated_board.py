"""The console on boards that make it hard, played as recipes; the ids are those of the console's rules."""

from __future__ import annotations

import json
from pathlib import Path

from support.command import runner
from support.reports import Report

LOG_IN = "setup:\n  - power_cycle: {off_time: 100ms}\n  - console_login: {user: root, within: 60s}\n"


def play(folder: Path, board: str, recipe: str, *more: str) -> Report:
    (folder / "lab.yaml").write_text(
        f"benches:\n  b:\n    devices:\n      board: {{driver: sim{board}}}\n", encoding="utf-8"
    )
    (folder / "r.yaml").write_text(recipe, encoding="utf-8")
    done = runner(folder, "play", "r.yaml", "-i", "lab.yaml", *more)
    report = Report(folder / "results" / "latest")
    report.assert_valid()
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert set(report.outcomes.values()) == {"passed"}
    return report


def test_a01_kernel_messages_at_any_place_are_cut_out_and_kept(tmp_path: Path) -> None:
    """At some bytes of the prompt, the echo, the frame and the output; the unit tests try every one."""
    benches = "".join(
        f"  at-{at}:\n    devices:\n      board: {{driver: sim, faults: {{printk_at: {at}}}}}\n"
        for at in (0, 1, 7, 12, 19, 23, 30, 36)
    )
    (tmp_path / "lab.yaml").write_text(f"benches:\n{benches}", encoding="utf-8")
    (tmp_path / "r.yaml").write_text(
        "benches: all\n" + LOG_IN + "tests:\n  - test: x\n    steps:\n"
        "      - console_cmd: echo one two three\n        expect: [result.output == 'one two three', result.status == 0]\n"
        "      - console_cmd: {command: 'false', check: false}\n"
        "        expect: [result.output == '', result.status == 1]\n",
        encoding="utf-8",
    )
    done = runner(tmp_path, "play", "r.yaml", "-i", "lab.yaml")
    report = Report(tmp_path / "results" / "latest")

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert [suite.get("tests") for suite in report.suites] == ["1"] * 8
    for log in (tmp_path / "results" / "latest" / "console").glob("*.raw"):
        assert b"] " in log.read_bytes()


def test_a01_a_steady_stream_of_kernel_messages_changes_no_answer(tmp_path: Path) -> None:
    recipe = (
        LOG_IN + "tests:\n  - test: x\n    steps:\n"
        "      - console_cmd: echo line {{ item }}; sleep 0.1; echo end\n        loop: '{{ range(10) }}'\n"
        "        expect: [\"result.output == 'line ' ~ item ~ '\\\\nend'\", result.kernel | length > 0]\n"
    )
    play(tmp_path, ", faults: {printk_every: 10ms, printk_level: 3}", recipe)


def test_a03_a_coloured_prompt_with_a_title_and_bracketed_paste(tmp_path: Path) -> None:
    prompt = r"\e[?2004h\e]0;\u@\h\e\\\[\e[1;32m\]\u@\h\[\e[0m\]:\w\$ "
    recipe = (
        LOG_IN + "tests:\n  - test: x\n    steps:\n"
        "      - expect_console: {pattern: '^root@sim:~# ', since: power_on, within: 1s}\n"
        "      - console_cmd: uname\n        expect: result.output == 'Linux'\n"
    )
    report = play(tmp_path, f", system: {{prompt: '{prompt}'}}", recipe)

    raw = (report.folder / "console" / "b.board.console.raw").read_bytes()
    assert b"\x1b[?2004h\x1b]0;" in raw


def test_a06_a_prompt_from_before_the_power_cycle_is_not_the_new_one(tmp_path: Path) -> None:
    recipe = (
        LOG_IN + "tests:\n  - test: x\n    steps:\n"
        "      - power_cycle: {off_time: 100ms}\n"
        "      - expect_console: {pattern: '[#] $', within: 100ms, absent: true}\n"
        "      - console_login: {user: root, within: 60s}\n        expect: not result.already\n"
        "      - console_cmd: uname\n        expect: result.output == 'Linux'\n"
    )
    play(tmp_path, "", recipe)


def test_a10_an_output_like_a_prompt_and_a_parser_that_cannot_tell_the_status(tmp_path: Path) -> None:
    enter = "setup: [{uboot_enter: {off_time: 100ms, within: 60s}}]\n"
    recipe = (
        enter + "tests:\n  - test: x\n    steps:\n"
        "      - uboot_cmd: crc32 0x40200000 0x10\n"
        "        expect: [result.status == 0, \"result.output is search('==> [0-9a-f]{8}')\"]\n"
    )
    play(tmp_path, "", recipe)
    simple = recipe.replace("result.status == 0", "result.status is none")
    play(tmp_path, ", firmware: {hush: false}", simple)


def test_a16_a_port_that_goes_away_and_comes_back_is_read_on_and_the_gap_is_an_event(tmp_path: Path) -> None:
    recipe = (
        "tests:\n  - test: x\n    steps:\n      - power_on:\n"
        "      - console_login: {user: root, within: 60s}\n"
        "      - console_cmd: uname\n        expect: result.output == 'Linux'\n"
    )
    faults = "{port_gone_after: 300ms, port_gone_for: 1s}"
    report = play(tmp_path, f", system: {{boot_time: 3s}}, faults: {faults}", recipe)

    index = (report.folder / "console" / "b.board.console.idx").read_text(encoding="utf-8")
    gaps = [stamp["gap"] for line in index.splitlines() if "gap" in (stamp := json.loads(line))]
    assert [gap.split(":")[0].split(" after")[0] for gap in gaps] == ["lost", "open again"]


def test_a14_a_prompt_that_is_never_last_behind_an_autologin(tmp_path: Path) -> None:
    recipe = (
        LOG_IN + "tests:\n  - test: x\n    steps:\n"
        "      - console_cmd: echo one; echo two\n"
        "        expect: \"result.output | regex_findall('(?m)^(?:one|two)$') == ['one', 'two']\"\n"
        "      - console_cmd: {command: 'false', check: false}\n        expect: result.status == 1\n"
    )
    play(tmp_path, ", system: {entry: autologin}, faults: {log_every: 20ms}", recipe)
