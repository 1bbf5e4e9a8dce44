"""A31: a recorded run is judged again, without hardware, with the same bytes as a result each time."""

import hashlib
import json
import shutil
import time
from pathlib import Path

import pytest
from support.command import LIMIT, runner, started, wait_until
from support.peers import ROOT

from runner.cli.main import main

RECORDINGS = ROOT / "tests" / "recordings"
LAB = "benches: {b: {devices: {board: {driver: sim, system: {boot_time: 100ms%s}, firmware: {bootdelay: 0}}}}}\n"
RECIPE = """
timeout: {step: 60s}
steps:
  - power_on:
  - console_login: {user: root%s}
  - console_send: "uname -a\\n"
  - expect_console: {pattern: 'Lunix', within: 2s}
"""


def write(folder: Path, recipe: str = RECIPE % "", lab: str = LAB % "") -> None:
    (folder / "recipe.yaml").write_text(recipe, encoding="utf-8")
    (folder / "lab.yaml").write_text(lab, encoding="utf-8")


def run_of(folder: Path) -> Path:
    return (folder / "results" / "latest").resolve()


def replayed(folder: Path) -> str:
    """Return the digest of all files that the replay of the latest run has made."""
    made = folder / "results" / "replays" / run_of(folder).name
    return digest(made)


def digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        found.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def example(folder: Path, name: str = "kernel-messages") -> str:
    """Put a recording into a folder; return the id of its run."""
    shutil.copytree(RECORDINGS / name, folder, dirs_exist_ok=True)
    first = (folder / "run" / "console.rec").read_bytes().splitlines()[0]
    return str(json.loads(first.partition(b" ")[2])["run"])


def test_a31_a_recorded_run_replayed_a_hundred_times_gives_the_same_bytes_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = example(tmp_path)
    monkeypatch.chdir(tmp_path)
    digests, printed = set(), set()
    began = time.monotonic()
    for _ in range(100):
        assert main(["replay", "run", "--junit", "out.xml"]) == 1
        digests.add(digest(tmp_path / "results" / "replays" / run) + digest(tmp_path / "run"))
        printed.add(capsys.readouterr().out)
    took = time.monotonic() - began

    assert len(digests) == 1
    assert len(printed) == 1
    assert "no 'Linux \\\\S+ 5\\\\.10' within 2s" in printed.pop()
    assert (tmp_path / "out.xml").read_bytes() == (
        tmp_path / "results" / "replays" / run / "junit.xml"
    ).read_bytes()
    assert took < 500, "each of them took more than five seconds, and the board took ten"


def test_a31_a_problem_of_that_day_passes_once_its_pattern_is_corrected(tmp_path: Path) -> None:
    example(tmp_path)
    text = (tmp_path / "recipe.yaml").read_text(encoding="utf-8").replace(r"5\.10", r"6\.1")
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    done = runner(tmp_path, "replay", "run")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_a31_a_failed_run_fails_again_twice_bit_by_bit_and_passes_once_its_pattern_is_corrected(
    tmp_path: Path,
) -> None:
    write(tmp_path)
    first = runner(tmp_path, "play", "recipe.yaml", "-i", "lab.yaml")
    again = [(runner(tmp_path, "replay").returncode, replayed(tmp_path)) for _ in range(2)]
    (tmp_path / "corrected.yaml").write_text(
        (tmp_path / "recipe.yaml").read_text(encoding="utf-8").replace("Lunix", "Linux"), encoding="utf-8"
    )
    corrected = runner(tmp_path, "replay", "latest", "corrected.yaml")

    assert first.returncode == 1
    assert again[0] == again[1]
    assert again[0][0] == 1
    assert corrected.returncode == 0, corrected.stdout


def test_a31_what_was_not_typed_that_day_is_told_at_its_step(tmp_path: Path) -> None:
    write(tmp_path)
    runner(tmp_path, "play", "recipe.yaml", "-i", "lab.yaml")
    write(tmp_path, (RECIPE % "").replace("uname -a", "uname -r"))
    done = runner(tmp_path, "replay")

    assert done.returncode == 3
    assert (
        "the replay leaves the recording here: b'uname -r\\n' would be typed on console 'board.console', "
        "and b'uname -a\\n' was typed"
    ) in done.stdout


def test_a31_a_command_of_the_host_is_answered_as_it_was_and_another_one_is_told(tmp_path: Path) -> None:
    recipe = (
        "steps:\n  - command: echo recorded > proof; echo hello\n    expect: \"'hello' in result.stdout\"\n"
    )
    write(tmp_path, recipe)
    runner(tmp_path, "play", "recipe.yaml", "-i", "lab.yaml")
    (tmp_path / "proof").unlink(missing_ok=True)
    same = runner(tmp_path, "replay")
    write(tmp_path, recipe.replace("hello", "goodbye"))
    other = runner(tmp_path, "replay")

    assert (same.returncode, other.returncode) == (0, 3)
    assert not (tmp_path / "proof").exists()
    assert "Command was asked with other arguments" in other.stdout


def test_a31_a_password_is_in_no_recording_and_the_replay_types_it_all_the_same(tmp_path: Path) -> None:
    write(tmp_path, (RECIPE % ", password: hunter22").replace("Lunix", "Linux"), LAB % ", password: hunter22")
    first = runner(tmp_path, "play", "recipe.yaml", "-i", "lab.yaml")
    done = runner(tmp_path, "replay")

    assert (first.returncode, done.returncode) == (0, 0), done.stdout
    assert b"hunter22" not in (run_of(tmp_path) / "console.rec").read_bytes()


def test_a31_a_killed_run_can_be_replayed_up_to_its_end(tmp_path: Path) -> None:
    write(tmp_path, (RECIPE % "").replace("within: 2s", "within: 60s"))
    process = started(tmp_path, "play", "recipe.yaml", "-i", "lab.yaml")
    wait_until(lambda: b"uname" in _typed(tmp_path), "the command is typed")
    process.kill()
    process.communicate(timeout=LIMIT)
    done = runner(tmp_path, "replay", "--results", "results", "-o", "text")

    assert done.returncode == 1, done.stdout + done.stderr
    assert "the run was killed; this is up to its end" in done.stderr
    assert "no 'Lunix' within 1m" in done.stdout


def _typed(folder: Path) -> bytes:
    path = folder / "results" / "latest" / "console.rec"
    return path.read_bytes() if path.exists() else b""


def test_a31_a_run_without_a_recording_and_steps_side_by_side_are_refused(tmp_path: Path) -> None:
    example(tmp_path)
    (tmp_path / "side.yaml").write_text(
        "steps:\n  - parallel:\n      - wait: 1s\n      - wait: 1s\n", encoding="utf-8"
    )
    side = runner(tmp_path, "replay", "run", "side.yaml")
    (tmp_path / "run" / "console.rec").unlink()
    none = runner(tmp_path, "replay", "run")

    assert (side.returncode, none.returncode) == (2, 2)
    assert "side.yaml:2:5: error[E543]: background and parallel steps cannot be replayed yet" in side.stderr
    assert "has no console.rec" in none.stderr


def test_a31_a_panic_of_that_day_fails_the_same_step_again(tmp_path: Path) -> None:
    recipe = "steps:\n  - power_on:\n  - expect_console: {pattern: 'never', within: 30s}\n"
    lab = "benches: {b: {devices: {board: {driver: sim, faults: {panic_after: 300ms}}}}}\n"
    write(tmp_path, recipe, lab)
    first = runner(tmp_path, "play", "recipe.yaml", "-i", "lab.yaml")
    again = [(runner(tmp_path, "replay").stdout, replayed(tmp_path)) for _ in range(2)]

    assert first.returncode == 1
    assert again[0] == again[1]
    assert "kernel panic" in again[0][0]
