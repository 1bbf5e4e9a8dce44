"""Several people and one bench: who waits, who is let in, who is thrown out, and what they are told."""

import json
import re
from pathlib import Path
from typing import Any

from support.command import LIMIT, runner, started, wait_until
from support.ssh_lab import inventory

ANA, BEN = {"RUNNER_WHO": "ana@desk"}, {"RUNNER_WHO": "ben@desk"}


def desk(folder: Path, name: str, **more: Any) -> str:
    """Write an inventory of a bench that has to be locked, and that leaves a file when it is switched off."""
    off = f"touch {folder / 'off'}"
    power = {"driver": "command", "turn_on": "true", "turn_off": off}
    return inventory(
        folder, {}, {name: {"devices": {"power": power}, "on_release": [{"power_off": None}], **more}}
    )


def recipe(folder: Path, text: str, name: str = "recipe.yaml") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return name


QUICK = "steps:\n  - power_on:\n"


def long(folder: Path) -> str:
    """Write a recipe that has a bench for long, and says when."""
    return recipe(
        folder,
        "tests:\n"
        f"  - {{test: long, steps: [command: {{command: [sh, -c, 'touch {folder}/on; exec sleep 280'], timeout: 290s}}]}}\n"
        "  - {test: later, steps: [log: on]}\n",
        "long.yaml",
    )


def outcomes(folder: Path) -> dict[str, str]:
    """Return how each case of the latest run ended."""
    lines = (folder / "results" / "latest" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    events = (json.loads(line) for line in lines)
    return {each["case"]: each["outcome"] for each in events if each["event"] == "case_finished"}


def rows(folder: Path, lab: str) -> list[dict[str, Any]]:
    done = runner(folder, "benches", "-i", lab, "-o", "json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_a_reservation_lets_its_owner_in_and_nobody_else(tmp_path: Path) -> None:
    lab = desk(tmp_path, "shared-desk-1", max_hold="3h")
    quick = recipe(tmp_path, QUICK)
    too_long = runner(tmp_path, "reserve", "shared-desk-1", "--for", "4h", "-i", lab, **ANA)
    asked = ("reserve", "shared-desk-1", "--for", "2h", "--reason", "soldering", "-i", lab)
    reserved = runner(tmp_path, *asked, **ANA)
    (row,) = rows(tmp_path, lab)
    refused = runner(tmp_path, "play", quick, "-i", lab, **BEN)
    own = runner(tmp_path, "play", quick, "-i", lab, **ANA)
    kept = runner(tmp_path, "release", "shared-desk-1", "-i", lab, **BEN)
    released = runner(tmp_path, "release", "shared-desk-1", "-i", lab, **ANA)
    free = runner(tmp_path, "play", quick, "-i", lab, **BEN)

    assert too_long.returncode == 2
    assert "bench 'shared-desk-1' may be held for 3h, not for 4h" in too_long.stderr
    assert reserved.returncode == 0, reserved.stderr
    assert re.fullmatch(
        r"bench shared-desk-1 is yours until 20\S+ \S+ UTC \(you are ana@desk\)\n", reserved.stdout
    )
    assert (row["state"], row["who"], row["reason"]) == ("reserved", "ana@desk", "soldering")
    assert refused.returncode == 4
    assert "is held by ana@desk, who has reserved it since 20" in refused.stdout
    assert own.returncode == 0, own.stdout
    assert kept.returncode == 4
    assert "hint: --force ends the reservation of somebody else" in kept.stderr
    assert released.stdout == "bench shared-desk-1 is not reserved any more\n"
    assert free.returncode == 0


def test_who_is_thrown_out_by_force_is_told_by_whom_and_the_power_is_off(tmp_path: Path) -> None:
    lab = desk(tmp_path, "shared-desk-2")
    holder = started(tmp_path, "play", long(tmp_path), "-i", lab)
    wait_until((tmp_path / "on").exists, "it holds the bench")
    (row,) = rows(tmp_path, lab)
    asked = ("release", "shared-desk-2", "--force", "--reason", "it smokes", "-i", lab)
    thrown = runner(tmp_path, *asked, **BEN)
    power_was_off = (tmp_path / "off").exists()
    out, _ = holder.communicate(timeout=LIMIT)

    assert row["state"] == "held"
    assert thrown.returncode == 0, thrown.stderr
    assert thrown.stdout.startswith(f"bench shared-desk-2 was taken away from {row['run']} (")
    assert power_was_off
    assert holder.returncode == 3, out
    told = "bench shared-desk-2 was taken away by ben@desk (runner release --force): it smokes"
    assert f"error shared-desk-2: {told}" in out
    assert outcomes(tmp_path) == {
        "long::long@shared-desk-2": "error",
        "long::later@shared-desk-2": "blocked",
    }


def test_the_host_ends_a_hold_that_lasts_too_long_and_the_run_says_where_that_is_set(tmp_path: Path) -> None:
    lab = desk(tmp_path, "shared-desk-3", max_hold="3s")
    done = runner(tmp_path, "play", long(tmp_path), "-i", lab)

    assert done.returncode == 3, done.stdout
    assert re.search(
        r"bench shared-desk-3 was given back by its host after 3s: the bench's max_hold of 3s "
        r"\(.*lab.yaml:1:\d+\) is over",
        done.stdout,
    )
    assert "hint: make the run shorter, or change that limit where it is written" in done.stdout
    assert outcomes(tmp_path) == {
        "long::long@shared-desk-3": "error",
        "long::later@shared-desk-3": "blocked",
    }
    assert (tmp_path / "off").exists()


def test_who_waits_is_told_who_has_the_bench_and_the_place_in_the_queue(tmp_path: Path) -> None:
    lab = desk(tmp_path, "shared-desk-4")
    holder = started(tmp_path, "play", long(tmp_path), "-i", lab)
    wait_until((tmp_path / "on").exists, "it holds the bench")
    first = started(tmp_path, "play", recipe(tmp_path, QUICK), "-i", lab, "--wait", "4m", "--results", "a")
    wait_until(lambda: len(rows(tmp_path, lab)[0]["waiting"]) == 1, "one waits")
    second = runner(
        tmp_path, "play", "recipe.yaml", "-i", lab, "--wait", "500ms", "--results", "b", CI="true"
    )
    holder.terminate()
    holder.communicate(timeout=LIMIT)
    out, _ = first.communicate(timeout=LIMIT)

    assert second.returncode == 4
    assert "waiting, place 2 of 2 in the queue" in second.stdout
    assert re.search(
        r"is held by \S+ \(.*\) since 20.*, and 1 before us wait for it; waited 500ms", second.stdout
    )
    assert first.returncode == 0, out
    assert re.search(r"bench shared-desk-4 is held by \S+ \(.*\) since 20.*; waiting\n", out)
    assert re.search(r"bench shared-desk-4 on localhost, waited \d+ s", out)


def test_a_host_that_does_not_answer_has_its_row_and_says_why(tmp_path: Path) -> None:
    mock = {"devices": {"power": {"driver": "mock"}}}
    hosts = {"shelf2": {"address": "no-such-host.invalid"}}
    lab = inventory(
        tmp_path,
        hosts,
        {"far": {"host": "shelf2", **mock}, "near": mock, "off": {"enabled": {"reason": "fan"}, **mock}},
    )
    found = {each["bench"]: (each["state"], each["reason"]) for each in rows(tmp_path, lab)}
    table = runner(tmp_path, "benches", "near", "-i", lab)

    assert found["near"] == ("free", "")
    assert found["off"] == ("out of service", "fan")
    assert found["far"][0] == "unreachable"
    assert "the name 'no-such-host.invalid' has no address" in found["far"][1]
    assert table.stdout.split() == [
        "BENCH",
        "HOST",
        "STATE",
        "WHO",
        "RUN",
        "SINCE",
        "UNTIL",
        "QUEUE",
        "REASON",
        "near",
        "localhost",
        "free",
    ]
