"""Notices of benches that nobody may take."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.agent.calls import Inspect, Lift, Quarantine, Take
from runner.agent.quarantine import Notice, Quarantines
from runner.agent.state_files import state_folders
from runner.api import LabError

ORDER = Quarantine(bench="rpi4/1", reason="relay stuck", who="ann@desk", run="42")


def test_a_bench_in_quarantine_is_refused_with_reason_who_since_when_and_how_to_clear_it(
    tmp_path: Path,
) -> None:
    Quarantines([tmp_path]).put(ORDER)

    with pytest.raises(LabError) as caught:
        Quarantines([tmp_path]).refuse(Take(bench="rpi4/1", holder="run 43"))
    assert caught.value.message.startswith("bench rpi4/1 is quarantined since 20")
    assert caught.value.message.endswith("UTC by ann@desk, run 42: relay stuck")
    assert caught.value.evidence["quarantine"] == "relay stuck"
    assert "runner quarantine rpi4/1 --clear" in caught.value.hint


def test_other_benches_may_be_taken_and_nothing_is_made_for_looking(tmp_path: Path) -> None:
    folder = tmp_path / "state"

    Quarantines([folder]).refuse(Take(bench="rpi4-02", holder="run 43"))

    assert not folder.exists()


def test_a_quarantine_holds_until_it_is_lifted(tmp_path: Path) -> None:
    quarantines = Quarantines([tmp_path])
    quarantines.put(ORDER)

    assert quarantines.lift("rpi4/1") is not None
    assert quarantines.of("rpi4/1") is None
    assert quarantines.lift("rpi4/1") is None
    quarantines.refuse(Take(bench="rpi4/1", holder="run 43"))


def test_the_first_notice_stays(tmp_path: Path) -> None:
    quarantines = Quarantines([tmp_path])
    quarantines.put(ORDER)

    again = quarantines.put(Quarantine(bench="rpi4/1", reason="another", who="bob@desk"))

    assert (again.reason, again.who) == ("relay stuck", "ann@desk")


def test_a_notice_is_found_in_every_folder_and_written_into_the_first_that_can_be(tmp_path: Path) -> None:
    second = tmp_path / "second"
    quarantines = Quarantines([tmp_path / "missing" / "first", second])
    quarantines.put(ORDER)
    (tmp_path / "missing").mkdir()

    assert [each.name for each in second.iterdir()] == ["rpi4%2f1.quarantine"]
    (tmp_path / "missing" / "first").mkdir()
    assert quarantines.of("rpi4/1") is not None
    quarantines.lift("rpi4/1")
    assert quarantines.of("rpi4/1") is None


def test_everybody_may_write_the_folder_and_the_notice(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    Quarantines([folder]).put(ORDER)

    assert folder.stat().st_mode & 0o7777 == 0o1777
    assert next(folder.iterdir()).stat().st_mode & 0o777 == 0o666


def test_a_damaged_notice_keeps_the_bench_in_quarantine(tmp_path: Path) -> None:
    (tmp_path / "b.quarantine").write_text("{", encoding="utf-8")

    with pytest.raises(LabError, match="its notice cannot be read: .*b.quarantine"):
        Quarantines([tmp_path]).refuse(Take(bench="b", holder="run 1"))


def test_requests_are_answered_with_the_notice(tmp_path: Path) -> None:
    quarantines = Quarantines([tmp_path])

    assert quarantines.answer(Inspect(bench="rpi4/1")) == {"notice": None}
    put = quarantines.answer(ORDER)["notice"]
    assert quarantines.answer(Inspect(bench="rpi4/1")) == {"notice": put}
    assert quarantines.answer(Lift(bench="rpi4/1")) == {"notice": put}
    assert quarantines.answer(Inspect(bench="rpi4/1")) == {"notice": None}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_folder_to_write_is_an_error_that_says_what_to_set(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(LabError, match="no folder for the state of benches") as caught:
        Quarantines([tmp_path]).put(ORDER)
    assert "RUNNER_STATE" in caught.value.hint


def test_the_folder_is_the_one_that_is_set_or_that_of_the_locks_or_ours() -> None:
    assert state_folders({"RUNNER_STATE": "/a", "RUNNER_LOCKS": "/b"}) == (Path("/a"),)
    assert state_folders({"RUNNER_LOCKS": "/b"}) == (Path("/b"),)
    assert state_folders({}) == (Path("/var/lib/runner"), Path("/var/tmp/runner-state"))


def test_a_notice_of_a_person_names_no_run() -> None:
    notice = Notice(bench="b", reason="loose", who="ann@desk", since="now")

    assert str(notice) == "quarantined since now by ann@desk: loose"
