"""Work that is asked for often and done now and then."""

import math
from collections.abc import Callable

from runner.report.pace import Pace


class Clock:
    """Time that goes on when the test says so, and timers that ring by it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[FakeTimer] = []

    def __call__(self) -> float:
        return self.now

    def timer(self, seconds: float, call: Callable[[], None]) -> "FakeTimer":
        self.timers.append(FakeTimer(self.now + seconds, call))
        return self.timers[-1]

    def pass_by(self, seconds: float) -> None:
        self.now += seconds
        for timer in self.timers:
            if timer.running and timer.rings <= self.now:
                timer.running = False
                timer.call()


class FakeTimer:
    def __init__(self, rings: float, call: Callable[[], None]) -> None:
        self.rings, self.call, self.running = rings, call, False

    def start(self) -> None:
        self.running = True

    def cancel(self) -> None:
        self.running = False


def paced(pause: float, work_takes: float = 0.0) -> tuple[Pace, Clock, list[float]]:
    clock, done = Clock(), []

    def work() -> None:
        done.append(clock.now)
        clock.now += work_takes

    return Pace(work, pause=pause, clock=clock, timer=clock.timer), clock, done


def test_the_first_time_is_at_once_and_the_next_ones_share_a_later_one() -> None:
    pace, clock, done = paced(1.0)
    for _ in range(3):
        pace.want()
    assert done == [100.0]
    clock.pass_by(0.9)
    assert done == [100.0]
    clock.pass_by(0.1)
    assert done == [100.0, 101.0]
    clock.pass_by(5)
    assert len(done) == 2


def test_what_is_wanted_after_the_pause_is_done_at_once() -> None:
    pace, clock, done = paced(1.0)
    pace.want()
    clock.pass_by(1.0)
    pace.want()
    assert done == [100.0, 101.0]


def test_work_that_takes_long_is_done_more_seldom() -> None:
    pace, clock, done = paced(1.0, work_takes=0.5)
    pace.want()
    pace.want()
    clock.pass_by(4.9)
    assert len(done) == 1
    clock.pass_by(0.1)
    assert done == [100.0, 105.5]


def test_catching_up_does_what_is_wanted_once_and_nothing_else() -> None:
    pace, clock, done = paced(1.0)
    pace.catch_up()
    assert done == []
    pace.want()
    pace.want()
    pace.catch_up()
    pace.catch_up()
    clock.pass_by(5)
    assert done == [100.0, 100.0]


def test_without_a_pause_it_is_done_each_time_and_with_an_endless_one_only_when_catching_up() -> None:
    always, _, each = paced(0.0)
    never, clock, last = paced(math.inf)
    for _ in range(3):
        always.want()
        never.want()
    assert (len(each), len(last), clock.timers) == (3, 1, [])
    never.catch_up()
    assert len(last) == 2
