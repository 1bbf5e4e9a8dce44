"""The options of `runner play`, each by what a person sees of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.command import runner
from support.reports import Report

LAB = "benches:\n  b-[1:3]:\n    labels: {board: x}\n    devices:\n      power: {driver: mock}\n"
RECIPE = """\
benches: all
params: {word: {type: str, default: hello}}
tests:
  - test: first
    tags: [fast, smoke]
    steps:
      - log: "first says {{ word }}"
  - test: second
    tags: [slow]
    steps:
      - log: second step one
        tags: [noisy]
      - power_cycle: {off_time: 10ms}
  - test: third
    steps:
      - log: third
"""


def play(
    folder: Path, *more: str, recipe: str = RECIPE, code: int = 0, one: bool = True
) -> tuple[str, dict[str, str]]:
    """Play on bench b-1, or on all three; return what was printed and the outcome of each case."""
    (folder / "lab.yaml").write_text(LAB, encoding="utf-8")
    (folder / "r.yaml").write_text(recipe, encoding="utf-8")
    limit = ("--limit", "b-1") if one else ()
    done = runner(folder, "play", "r.yaml", "-i", "lab.yaml", *limit, *more)
    assert done.returncode == code, done.stdout + done.stderr
    result = folder / "results" / "latest"
    return done.stdout + done.stderr, Report(result).outcomes if result.exists() else {}


def ran(folder: Path, *more: str, recipe: str = RECIPE, code: int = 0) -> list[str]:
    return list(play(folder, *more, recipe=recipe, code=code)[1])


def test_limit_keeps_to_some_benches(tmp_path: Path) -> None:
    play(tmp_path, "-l", "b-2,b-3", one=False)

    suites = Report(tmp_path / "results" / "latest").suites
    assert sorted(suite.get("name", "").rpartition("@")[2] for suite in suites) == ["b-2", "b-3"]


def test_tags_choose_cases(tmp_path: Path) -> None:
    assert ran(tmp_path, "-t", "smoke,slow") == ["first", "second"]


def test_skipped_tags_leave_out_cases_and_steps(tmp_path: Path) -> None:
    out, cases = play(tmp_path, "--skip-tags", "fast,noisy")

    assert list(cases) == ["second", "third"]
    assert "second step one" not in out


def test_a_part_of_the_name_chooses_cases(tmp_path: Path) -> None:
    assert ran(tmp_path, "-k", "ir") == ["first", "third"]


def test_from_begins_with_a_test(tmp_path: Path) -> None:
    assert ran(tmp_path, "--from", "second") == ["second", "third"]


@pytest.mark.parametrize("given", [("-e", "word=bye"), ("-e", "@words.yaml")])
def test_extra_values_come_from_the_command_line_or_a_file(tmp_path: Path, given: tuple[str, str]) -> None:
    (tmp_path / "words.yaml").write_text("word: bye\n", encoding="utf-8")

    assert "first says bye" in play(tmp_path, *given)[0]


def test_check_runs_only_what_changes_nothing(tmp_path: Path) -> None:
    out, cases = play(tmp_path, "--check")

    assert "first says hello" in out
    assert cases["first"] == "passed"
    assert "would switch off 'power' on bench 'b-1' for 10ms, and on again" in out


def test_fail_fast_cancels_the_rest(tmp_path: Path) -> None:
    recipe = RECIPE.replace('log: "first says {{ word }}"', "fail: no")
    out, cases = play(tmp_path, "--fail-fast", recipe=recipe, code=1)

    assert cases == {"first": "failed", "second": "error", "third": "error"}
    assert "--fail-fast" in out


def test_repeat_plays_every_case_so_many_times(tmp_path: Path) -> None:
    play(tmp_path, "--repeat", "3", "-k", "third")

    report = Report(tmp_path / "results" / "latest")
    assert sum(len(suite.findall("testcase")) for suite in report.suites) == 3


UNTIL = """\
benches: all
tests:
  - test: x
    steps:
      - command: "cd FOLDER && n=$(ls | wc -l) && test $n -lt 4 && touch $n"
"""


def test_until_fail_ends_with_the_first_bad_case(tmp_path: Path) -> None:
    (tmp_path / "counted").mkdir()
    play(tmp_path, "--until-fail", recipe=UNTIL.replace("FOLDER", f"{tmp_path}/counted"), code=1)

    report = Report(tmp_path / "results" / "latest")
    assert sum(len(suite.findall("testcase")) for suite in report.suites) == 5


FLAKY = """\
benches: all
tests:
  - test: flaky
    steps:
      - command: "test -e FOLDER/there || { touch FOLDER/there; false; }"
"""


def test_retries_make_a_bad_case_flaky_and_strict_flaky_fails_the_run(tmp_path: Path) -> None:
    recipe = FLAKY.replace("FOLDER", str(tmp_path))
    out, _ = play(tmp_path, "--retries", "1", recipe=recipe)

    case = Report(tmp_path / "results" / "latest").cases["flaky"]
    assert [child.tag for child in case][:1] == ["flakyFailure"]
    assert "1 flaky" in out
    (tmp_path / "there").unlink()
    play(tmp_path, "--retries", "1", "--strict-flaky", recipe=recipe, code=1)


def test_a_skipped_case_fails_the_run_only_when_that_is_wanted(tmp_path: Path) -> None:
    recipe = RECIPE.replace("  - test: third\n", "  - test: third\n    skip: not today\n")

    assert play(tmp_path, recipe=recipe)[1]["third"] == "skipped"
    play(tmp_path, "--fail-on-skip", recipe=recipe, code=1)


def test_shards_share_the_cases(tmp_path: Path) -> None:
    shares = [ran(tmp_path, "--shard", f"{share}/2") for share in (1, 2)]

    assert sorted(shares[0] + shares[1]) == ["first", "second", "third"]
    assert all(shares)


def test_a_shuffled_order_can_be_had_again(tmp_path: Path) -> None:
    orders = {tuple(ran(tmp_path, f"--shuffle={seed}")) for seed in range(1, 6)}

    assert ran(tmp_path, "--shuffle=3") == ran(tmp_path, "--shuffle=3")
    assert len(orders) > 1
    assert {tuple(sorted(order)) for order in orders} == {("first", "second", "third")}


def test_parallel_limits_the_benches_at_once(tmp_path: Path) -> None:
    recipe = "benches: all\ntests: [{test: x, steps: [{wait: 200ms}]}]\n"
    play(tmp_path, "--parallel", "1", recipe=recipe, one=False)

    running = most = 0
    for line in (tmp_path / "results" / "latest" / "events.jsonl").read_text(encoding="utf-8").splitlines():
        event = json.loads(line)["event"]
        running += {"case_started": 1, "case_finished": -1}.get(event, 0)
        most = max(most, running)
    assert most == 1


def test_max_parallel_of_the_play_limits_the_benches_at_once(tmp_path: Path) -> None:
    recipe = "benches: all\nmax_parallel: 1\ntests: [{test: x, steps: [{wait: 200ms}]}]\n"
    play(tmp_path, recipe=recipe, one=False)

    events = [
        json.loads(line)["event"]
        for line in (tmp_path / "results" / "latest" / "events.jsonl")
        .read_text(encoding="utf-8")
        .splitlines()
    ]
    cases = [event for event in events if event in {"case_started", "case_finished"}]
    assert cases == ["case_started", "case_finished"] * 3


def test_verbose_says_more_each_time(tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "wrong.py").write_text(
        '"""Goes wrong."""\n\nfrom runner.api import Context, Module\n\n\nclass Wrong(Module):\n'
        '    """Raise."""\n\n    def run(self, context: Context) -> None:\n        raise ValueError("oh")\n',
        encoding="utf-8",
    )
    recipe = "benches: all\ntests: [{test: x, steps: [{log: said}, {wrong: }]}]\n"
    plain, steps, tracebacks = (
        play(tmp_path, *more, recipe=recipe, code=3)[0] for more in ((), ("-v",), ("-vvv",))
    )

    assert "passed b-1: log" not in plain
    assert "log" in steps.replace("said", "", 1)
    assert steps.count("\n") > plain.count("\n")
    assert "Traceback (most recent call last)" not in steps
    assert "Traceback (most recent call last)" in tracebacks


def test_console_prints_what_the_board_says(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("steps: [{power_on: }, {expect_console: U-Boot 20}]\n", encoding="utf-8")
    quiet = runner(tmp_path, "play", "r.yaml")
    loud = runner(tmp_path, "play", "r.yaml", "--console")

    assert (quiet.returncode, loud.returncode) == (0, 0)
    assert "U-Boot SPL" not in quiet.stdout
    assert "U-Boot SPL" in loud.stdout


def test_no_input_refuses_to_ask(tmp_path: Path) -> None:
    out, _ = play(tmp_path, "--step", "--no-input", code=2)

    assert "--step" in out


def test_fine_cases_with_a_failing_teardown_end_with_5(tmp_path: Path) -> None:
    out, cases = play(tmp_path, recipe=RECIPE + "teardown: [{fail: left on}]\n", code=5)

    assert set(cases.values()) == {"passed"}
    assert "exit code 5" in out
    assert "left on" in out
