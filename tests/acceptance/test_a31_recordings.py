"""A31: a recording is what was recorded, and is refused when it is not; another runner's is told apart."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.command import runner
from support.peers import ROOT

from runner import __version__
from runner.connect.recording import framed
from runner.masking import Masker

EXAMPLE = ROOT / "tests" / "recordings" / "kernel-messages"
LAB = (
    "benches: {b: {devices: {board: {driver: sim, system: {boot_time: 100ms}, firmware: {bootdelay: 0}}}}}\n"
)
RECIPE = """
timeout: {step: 60s}
steps:
  - power_on:
  - console_login: {user: root}
  - console_cmd: uname -a
  - expect_console: {pattern: 'Lunix', within: 2s}
"""
CONSOLE = "console/b.board.console"


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a recipe, an inventory and a recorded run that has failed."""
    folder = tmp_path_factory.mktemp("failed")
    (folder / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
    (folder / "lab.yaml").write_text(LAB, encoding="utf-8")
    done = runner(folder, "play", "recipe.yaml", "-i", "lab.yaml")
    assert done.returncode == 1, done.stdout + done.stderr
    (folder / "results" / "latest").resolve().rename(folder / "run")
    return folder


def copied(failed: Path, folder: Path) -> Path:
    """Copy all of it; return the folder of the run."""
    shutil.copytree(failed, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("results", "state"))
    return folder / "run"


def edited(data: bytes) -> bytes:
    """Have the board say something else, as long as it was."""
    assert data.count(b"Linux version") == 1
    return data.replace(b"Linux version", b"Lunix version")


def later(data: bytes) -> bytes:
    """Have the second piece received at another time."""
    first, second, *rest = data.splitlines(keepends=True)
    stamp = json.loads(second)
    stamp["wall_ns"] += 1
    return b"".join((first, json.dumps(stamp).encode() + b"\n", *rest))


def without(line: int) -> Callable[[bytes], bytes]:
    """Leave out a line."""

    def cut(data: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        del lines[line]
        return b"".join(lines)

    return cut


@pytest.mark.parametrize(
    ("name", "damage", "told"),
    [
        ("console.rec", lambda data: data[:300] + b"X" + data[301:], "console.rec:1:1: error[E542]"),
        ("console.rec", without(4), "the lines before this one are not those that were written"),
        ("console.rec", without(-1), "console.rec: its end is missing, and the run was not killed"),
        (f"{CONSOLE}.raw", lambda data: data[:-1], "console.raw: it has "),
        (f"{CONSOLE}.raw", edited, "console.raw: its check sum is "),
        (f"{CONSOLE}.idx", later, "console.idx: its check sum is "),
    ],
    ids=["a changed line", "a line less", "cut off", "a log cut off", "a log edited", "a time edited"],
)
def test_a31_a_recording_that_is_not_what_was_recorded_is_refused_with_one_error(
    failed: Path, tmp_path: Path, name: str, damage: Callable[[bytes], bytes], told: str
) -> None:
    path = copied(failed, tmp_path) / name
    path.write_bytes(damage(path.read_bytes()))
    done = runner(tmp_path, "replay", "run")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("error") == 1, done.stderr
    assert "error[E542]: the recording is damaged" in done.stderr
    assert told in done.stderr
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("name", "damage", "told"),
    [
        ("console/rack-1.board.console.raw", lambda data: data[:-1], "8701 bytes, and 8702 were recorded"),
        ("console/rack-1.board.console.idx", lambda data: b"{}\n" + data, "is not of an index"),
    ],
)
def test_a31_a_damaged_recording_of_the_first_version_is_refused(
    tmp_path: Path, name: str, damage: Callable[[bytes], bytes], told: str
) -> None:
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "run" / name
    path.write_bytes(damage(path.read_bytes()))
    done = runner(tmp_path, "replay", "run")

    assert done.returncode == 2
    assert told in done.stderr
    assert "error[E542]: the recording is damaged" in done.stderr


def recorded_by(run: Path, version: str, dialect: str, says: tuple[str, str]) -> None:
    """Make a recording that of another runner, which has typed something else."""
    records = [
        json.loads(line.partition(b" ")[2]) for line in (run / "console.rec").read_bytes().splitlines()
    ]
    records[0] |= {"version": version, "dialect": dialect or records[0]["dialect"]}
    for record in records:
        if "typed" in record:
            record["typed"]["data"] = record["typed"]["data"].replace(*says)
    del records[-1]["before"]
    (run / "console.rec").write_bytes(b"".join(framed(record, Masker()) for record in records))


@pytest.mark.parametrize(
    ("version", "dialect", "told"),
    [
        ("0.0.1", "0badcafe", f"runner 0.0.1, and this is {__version__}, which types commands differently: "),
        (__version__, "0badcafe", f"runner {__version__}, and this is another build of it, which types"),
        (
            "0.0.1",
            "",
            f"on console 'board.console'; it was recorded by runner 0.0.1, and this is {__version__}",
        ),
    ],
)
def test_a31_a_replay_that_leaves_the_recording_of_another_runner_says_whose_it_is(
    failed: Path, tmp_path: Path, version: str, dialect: str, told: str
) -> None:
    recorded_by(copied(failed, tmp_path), version, dialect, ("_r(){", "_q(){"))
    done = runner(tmp_path, "replay", "run")

    assert done.returncode == 3
    assert "the replay leaves the recording here: " in done.stdout
    assert told in done.stdout


def test_a31_the_recording_of_another_runner_replays_as_long_as_the_same_is_typed(
    failed: Path, tmp_path: Path
) -> None:
    recorded_by(copied(failed, tmp_path), "0.0.1", "0badcafe", ("_r(){", "_r(){"))
    done = runner(tmp_path, "replay", "run")

    assert done.returncode == 1
    assert "recorded by" not in done.stdout
