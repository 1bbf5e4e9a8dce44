"""The queue before a bench, its reservations, and how it all looks from outside."""

import threading
from pathlib import Path

import pytest

from runner.agent.calls import Said, Take, Waiting
from runner.agent.holder import Holder, ourselves
from runner.agent.leases import Leases
from runner.agent.locks import Locks
from runner.agent.stop import Stop
from runner.agent.tickets import Ticket, queue_file
from runner.api import LabError


class Lab:
    """A folder of locks, with a clock that is set by hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 1_000_000.0

    def locks(self) -> Locks:
        return Locks(lambda: self.folder, lambda: Leases((self.folder,), lambda: self.now))

    def ticket(self, name: str) -> Ticket:
        return Ticket(queue_file(self.folder, "b"), ourselves(name, f"{name}@desk", None))


def take(locks: Locks, who: str, wait: float = 0.0) -> list[Waiting | Said]:
    heard: list[Waiting | Said] = []
    locks.take(Take(bench="b", holder=f"run of {who}", wait=wait, who=f"{who}@desk"), heard.append, Stop())
    return heard


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def names(holders: tuple[Holder | None, ...] | list[Holder | None]) -> list[str]:
    return [each.holder if each else "?" for each in holders]


def test_tickets_know_who_is_ahead_and_a_gap_closes(lab: Lab) -> None:
    first, second, third = (lab.ticket(name) for name in ("ana", "ben", "cy"))
    assert (first.first(), third.first(), names(third.ahead())) == (True, False, ["ana", "ben"])
    assert first.behind() == 2
    second.close()
    assert names(third.ahead()) == ["ana"]
    first.close()
    assert third.first()
    assert lab.ticket("dan").number > third.number


def test_who_does_not_wait_gets_no_free_bench_for_which_others_wait(lab: Lab) -> None:
    lab.ticket("ana")
    with pytest.raises(
        LabError, match="bench b is held by ana .* whose turn it is, and 1 before us wait for it"
    ):
        take(lab.locks(), "ben")


def test_how_a_bench_stands_can_be_seen_without_taking_part(lab: Lab) -> None:
    assert lab.locks().standing("b").held is False
    holder = lab.locks()
    take(holder, "ana")
    waiting = lab.ticket("ben")
    found = lab.locks().standing("b")
    assert (found.held, names([found.holder]), names(found.waiting)) == (True, ["run of ana"], ["ben"])
    holder.drop("b")
    waiting.close()
    found = lab.locks().standing("b")
    assert (found.held, found.holder, found.waiting) == (False, None, ())


def test_who_waits_is_told_the_place_and_gets_the_bench_in_turn(lab: Lab) -> None:
    holder, order = lab.locks(), []
    take(holder, "ana")
    queued: list[threading.Thread] = []
    for name in ("ben", "cy"):
        told = threading.Event()

        def wait(name: str = name, told: threading.Event = told) -> None:
            locks = lab.locks()

            def hear(heard: Waiting | Said) -> None:
                assert isinstance(heard, Waiting)
                if not told.is_set():  # who waits for long is told again what has changed
                    order.append((name, heard.place, heard.holder.partition(" (")[0]))
                told.set()

            locks.take(Take(bench="b", holder=name, wait=120), hear, Stop())
            order.append((name, 0, "has it"))
            locks.drop("b")

        queued.append(threading.Thread(target=wait))
        queued[-1].start()
        assert told.wait(60)
    holder.drop("b")
    for each in queued:
        each.join(60)
    assert order == [
        ("ben", 1, "run of ana"),
        ("cy", 2, "run of ana"),
        ("ben", 0, "has it"),
        ("cy", 0, "has it"),
    ]


def test_a_reserved_bench_is_for_its_owner_until_the_time_is_over(lab: Lab) -> None:
    locks = lab.locks()
    asked = Take(bench="b", holder="runner reserve", who="ana@desk")
    locks.take(asked, print, Stop())
    locks.reserve(asked, 7200, "soldering")
    locks.drop("b")
    others = lab.ticket("cy")

    with pytest.raises(
        LabError, match=r"held by ana@desk, who has reserved it since .* until .*: soldering"
    ) as caught:
        take(lab.locks(), "ben")
    assert "holder" in caught.value.evidence
    take(locks, "ana")  # also past those who wait for the end of the reservation
    locks.drop("b")
    others.close()
    lab.now += 7200
    take(lab.locks(), "ben")


def test_a_reservation_that_is_ended_by_force_is_told_to_its_owner_once(lab: Lab) -> None:
    leases = Leases((lab.folder,), lambda: lab.now)
    leases.put("b", "ana@desk", 60, "")
    assert leases.end("b", "ben@desk", "it burns") is not None
    locks = lab.locks()
    assert take(locks, "cy") == []
    locks.drop("b")

    (told,) = take(locks, "ana")
    assert isinstance(told, Said)
    assert told.text.startswith("your reservation of bench b until ")
    assert " was ended by ben@desk on " in told.text
    assert told.text.endswith(": it burns")
    locks.drop("b")
    assert take(locks, "ana") == []


def test_a_request_to_give_a_bench_back_reaches_only_who_held_it_then(lab: Lab) -> None:
    holder = lab.locks()
    take(holder, "ana")
    found = lab.locks().standing("b").holder
    assert found is not None
    assert holder.evicted("b") == ""
    lab.locks().evict("b", found, "thrown out")
    assert holder.evicted("b") == "thrown out"
    holder.drop("b")
    take(holder, "ben")
    assert holder.evicted("b") == ""
