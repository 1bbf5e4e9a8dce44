"""What is written while a run goes on, and where."""

import json
import os
import re
from pathlib import Path

import pytest
from support.events import STARTED, begun, ended, heard

from runner.api.verdicts import LabError
from runner.errors import InputError
from runner.events import line, read
from runner.report.files import ConsoleFiles, EventsFile
from runner.report.folder import RunFolder, failed_cases, find_run
from runner.result import Event, Outcome


def test_an_event_is_in_the_file_before_the_run_goes_on(tmp_path: Path) -> None:
    events = EventsFile(tmp_path)
    events.hear(STARTED)

    assert (tmp_path / "events.jsonl").read_bytes() == line(STARTED)
    events.close()


def test_console_bytes_are_kept_as_they_came_with_when_they_came(tmp_path: Path) -> None:
    everything = bytes(range(256))
    files = ConsoleFiles(tmp_path)
    files.console(heard(everything, at=1))
    files.console(heard(b"", index=256, at=2, gap="lost: gone"))
    files.console(heard(everything, index=256, at=3))
    files.close()

    assert (tmp_path / "console" / "b.uart.raw").read_bytes() == 2 * everything
    index = [json.loads(each) for each in (tmp_path / "console" / "b.uart.idx").read_bytes().splitlines()]
    assert [(each["offset"], each["wall_ns"], each.get("gap")) for each in index] == [
        (0, 1_000_000_000, None),
        (256, 2_000_000_000, "lost: gone"),
        (256, 3_000_000_000, None),
    ]


def test_offsets_are_places_in_the_log_also_when_a_console_begins_anew(tmp_path: Path) -> None:
    files = ConsoleFiles(tmp_path)
    files.console(heard(b"first play", index=0))
    files.console(heard(b"second play", index=0))
    files.close()

    index = (tmp_path / "console" / "b.uart.idx").read_bytes().splitlines()
    assert [json.loads(each)["offset"] for each in index] == [0, 10]


def test_a_silent_run_has_no_console_folder(tmp_path: Path) -> None:
    files = ConsoleFiles(tmp_path)
    files.hear(STARTED)
    files.close()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_the_fault_of_the_lab(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").symlink_to("/dev/full")
    (tmp_path / "console").mkdir()
    (tmp_path / "console" / "b.uart.raw").symlink_to("/dev/full")
    events, consoles = EventsFile(tmp_path), ConsoleFiles(tmp_path)

    with pytest.raises(LabError, match="No space left"):
        events.hear(STARTED)
    with pytest.raises(LabError, match="No space left"):
        consoles.console(heard(b"x"))
    events.close()
    consoles.close()


def test_a_run_has_a_folder_by_time_and_latest_points_at_it(tmp_path: Path) -> None:
    first, second = RunFolder.create(str(tmp_path / "results")), RunFolder.create(str(tmp_path / "results"))

    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{6}", first.run)
    assert first.path.is_dir()
    assert os.readlink(tmp_path / "results" / "latest") == second.run  # noqa: PTH115 - the text of the link
    assert second.started(["q.yaml"], {"retries": 1}).folder == str(second.path)


def test_results_that_cannot_be_made_are_refused_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file", encoding="utf-8")

    with pytest.raises(InputError) as caught:
        RunFolder.create(str(tmp_path / "results"))
    assert caught.value.faults[0].code == "E531"


def run_of(results: Path, name: str, *events: Event) -> Path:
    folder = results / name
    folder.mkdir(parents=True)
    (folder / "events.jsonl").write_bytes(b"".join(map(line, events)))
    return folder


def test_a_run_is_found_by_its_name_the_beginning_of_it_or_its_path(tmp_path: Path) -> None:
    first, second = run_of(tmp_path, "20260101T000000Z-aaa"), run_of(tmp_path, "20260102T000000Z-bbb")
    (tmp_path / "notes").mkdir()

    assert find_run(str(tmp_path), second.name) == second
    assert find_run(str(tmp_path), "20260101") == first
    assert find_run("elsewhere", str(first)) == first
    assert find_run(str(tmp_path), "latest") == second, "a file system without links has no link"
    (tmp_path / "latest").symlink_to(first.name)
    assert find_run(str(tmp_path), "latest").resolve() == first


@pytest.mark.parametrize(
    ("run", "message", "hint"),
    [
        ("2027", "no run '2027' in", "the last ones: 20260102T000000Z-bbb, 20260101T000000Z-aaa"),
        ("2026", "'2026' begins the ids of 2 runs", "20260102T000000Z-bbb, 20260101T000000Z-aaa"),
    ],
)
def test_a_run_that_cannot_be_found_names_those_that_can(
    tmp_path: Path, run: str, message: str, hint: str
) -> None:
    run_of(tmp_path, "20260101T000000Z-aaa")
    run_of(tmp_path, "20260102T000000Z-bbb")

    with pytest.raises(InputError) as caught:
        find_run(str(tmp_path), run)
    assert message in caught.value.faults[0].message
    assert caught.value.faults[0].hint == hint


def test_results_that_are_not_there_say_so(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        find_run(str(tmp_path / "none"), "latest")
    assert caught.value.faults[0].hint.endswith("has no run")


def test_what_did_not_pass_is_played_again_also_what_never_ended(tmp_path: Path) -> None:
    events = [
        *(begun("a"), ended(Outcome.FAILED, "a")),
        *(begun("b"), ended(Outcome.PASSED, "b")),
        *(begun("c"), ended(Outcome.SKIPPED, "c")),
        *(begun("d"), ended(Outcome.BLOCKED, "d")),
        begun("e"),
    ]
    folder = run_of(tmp_path, "r", *events)

    assert failed_cases(str(tmp_path), "r") == {"q::a@b", "q::d@b", "q::e@b"}
    assert list(read(folder / "events.jsonl")) == events
