import json
import threading
from pathlib import Path

import pytest

from runner.agent.calls import Take, Waiting
from runner.agent.lock_files import lock_folder
from runner.agent.locks import Locks
from runner.agent.stop import Stop
from runner.api import Cancelled, LabError


def take(locks: Locks, bench: str = "rpi4", *, wait: float = 0.0, stop: Stop | None = None) -> list[Waiting]:
    heard: list[Waiting] = []
    locks.take(Take(bench=bench, holder="run 42", wait=wait), heard.append, stop or Stop())
    return heard


@pytest.fixture
def two(tmp_path: Path) -> tuple[Locks, Locks]:
    return Locks(lambda: tmp_path), Locks(lambda: tmp_path)


def test_a_bench_that_is_held_is_refused_with_who_and_since_when(two: tuple[Locks, Locks]) -> None:
    ours, theirs = two
    take(theirs)
    with pytest.raises(
        LabError, match=r"bench rpi4 is held by run 42 \(.+@.+, process \d+\) since 20"
    ) as caught:
        take(ours)
    assert caught.value.evidence["holder"] == "run 42"
    assert caught.value.evidence["since"].endswith("UTC")


def test_a_bench_that_was_given_back_can_be_taken(two: tuple[Locks, Locks]) -> None:
    ours, theirs = two
    take(theirs)
    theirs.drop("rpi4")
    assert take(ours) == []


def test_other_benches_are_free_and_all_are_dropped_at_the_end(two: tuple[Locks, Locks]) -> None:
    ours, theirs = two
    take(theirs, "a")
    take(theirs, "b")
    take(ours, "c")
    theirs.drop_all()
    take(ours, "a")
    take(ours, "b")


def test_a_bench_that_is_ours_is_not_taken_twice(two: tuple[Locks, Locks]) -> None:
    ours, theirs = two
    take(ours)
    take(ours)
    ours.drop("rpi4")
    take(theirs)


def test_who_waits_hears_once_for_whom_and_gets_the_bench(two: tuple[Locks, Locks]) -> None:
    ours, theirs = two
    take(theirs)
    waiting = threading.Event()

    def hear(heard: Waiting) -> None:
        assert heard.holder.startswith("run 42 (")
        assert not waiting.is_set()
        waiting.set()

    def give_back() -> None:
        waiting.wait(60)
        theirs.drop("rpi4")

    threading.Thread(target=give_back).start()
    ours.take(Take(bench="rpi4", holder="run 43", wait=120), hear, Stop())
    assert waiting.is_set()


def test_who_waits_in_vain_hears_for_whom_once_and_how_long(two: tuple[Locks, Locks]) -> None:
    ours, theirs = two
    take(theirs)
    heard: list[Waiting] = []
    with pytest.raises(LabError, match="; waited 450ms"):
        ours.take(Take(bench="rpi4", holder="run 43", wait=0.45), heard.append, Stop())
    assert len(heard) == 1


def test_waiting_ends_when_told_to_stop(two: tuple[Locks, Locks]) -> None:
    ours, theirs = two
    take(theirs)
    stop = Stop()
    threading.Thread(target=stop.tell, args=("Ctrl-C",)).start()
    with pytest.raises(Cancelled, match="Ctrl-C"):
        take(ours, wait=60, stop=stop)


def test_the_file_says_who_holds_it_and_nothing_when_nobody_does(tmp_path: Path) -> None:
    locks = Locks(lambda: tmp_path)
    take(locks, "lab/rpi 4")
    file = tmp_path / "lab%2frpi%204.lock"
    assert json.loads(file.read_text(encoding="utf-8"))["holder"] == "run 42"
    locks.drop("lab/rpi 4")
    assert file.read_text(encoding="utf-8") == ""


def test_everybody_may_take_and_the_folder_is_made(tmp_path: Path) -> None:
    folder = lock_folder({"RUNNER_LOCKS": str(tmp_path / "locks")})
    assert folder.stat().st_mode & 0o7777 == 0o1777
    take(Locks(lambda: folder))
    assert {each.stat().st_mode & 0o777 for each in folder.iterdir()} == {0o666}


def test_no_folder_for_locks_is_the_labs_fault(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no folder for the locks"):
        lock_folder({"RUNNER_LOCKS": str(tmp_path / "missing" / "locks")})
