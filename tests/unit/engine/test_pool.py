"""Taking several benches, or some of many: in which order, and what is given back."""

import threading

from runner.engine.cancel import Cancellation, Deadline
from runner.engine.pool import take_all, take_some


class Rack:
    """Benches that come free when they are told to; keeps in which order they were asked for."""

    def __init__(self, free: str) -> None:
        self.free = set(free)
        self.log: list[str] = []
        self.moved = threading.Condition()

    def benches(self, names: str) -> list["Desk"]:
        return [Desk(self, name) for name in names]


class Desk:
    def __init__(self, rack: Rack, name: str) -> None:
        self.rack = rack
        self.name = name

    def secure(self, wait: float, cancel: Cancellation | None = None) -> bool:
        rack, stop = self.rack, cancel or Cancellation()
        with rack.moved:
            rack.log.append(f"{'wait for' if wait else 'try'} {self.name}")
            rack.moved.notify_all()
            leave = stop.watch(lambda _cause: self._wake())
            rack.moved.wait_for(lambda: self.name in rack.free or stop.cause is not None, wait)
            had = self.name in rack.free
            rack.free.discard(self.name)
        leave()
        return had

    def _wake(self) -> None:
        threading.Thread(target=self._notify).start()

    def _notify(self) -> None:
        with self.rack.moved:
            self.rack.moved.notify_all()

    def let_go(self) -> None:
        with self.rack.moved:
            self.rack.log.append(f"let go {self.name}")
            self.rack.free.add(self.name)


def frees(rack: Rack, after: set[str], names: str) -> threading.Thread:
    """Free benches once they are all waited for."""

    def work() -> None:
        with rack.moved:
            rack.moved.wait_for(lambda: after <= set(rack.log), 60)
            rack.free |= set(names)
            rack.moved.notify_all()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_benches_that_are_needed_together_are_taken_in_the_order_of_their_names() -> None:
    rack = Rack("abc")
    take_all(rack.benches("cab"), Deadline.after(0, "none"))
    assert rack.log == ["try a", "try b", "try c"]


def test_free_ones_of_many_are_taken_as_they_are_written_and_no_more_than_wanted() -> None:
    rack = Rack("abc")
    assert take_some(rack.benches("cab"), 2, Deadline.after(0, "none"), Cancellation()) == ["c", "a"]
    assert rack.log == ["try c", "try a"]


def test_one_of_many_waits_for_all_and_gives_back_what_is_too_much() -> None:
    rack = Rack("")
    thread = frees(rack, {"wait for a", "wait for b", "wait for c"}, "bc")
    (had,) = take_some(rack.benches("abc"), 1, Deadline.after(120, "two minutes"), Cancellation())
    thread.join()
    assert had in {"b", "c"}
    assert rack.free == {"b", "c"} - {had}


def test_who_has_one_of_several_waits_only_for_later_ones() -> None:
    rack = Rack("b")
    thread = frees(rack, {"wait for a", "wait for b"}, "ac")
    had = take_some(rack.benches("abc"), 2, Deadline.after(120, "two minutes"), Cancellation())
    thread.join()
    assert rack.log[:4] == ["try a", "try b", "try c", "let go b"]
    assert len(had) == 2
    assert had == sorted(had)
