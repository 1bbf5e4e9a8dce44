import threading

import pytest

from runner.agent.stop import Stop
from runner.api import Cancelled, TimedOut


def test_the_first_cause_stays() -> None:
    stop = Stop()
    assert stop.tell("Ctrl-C")
    assert not stop.tell("time is over", timed_out=True)
    assert (stop.cause, stop.timed_out) == ("Ctrl-C", False)


def test_watchers_are_woken_once_and_late_ones_at_once() -> None:
    stop, woken = Stop(), []
    stop.watch(lambda: woken.append("early"))
    leave = stop.watch(lambda: woken.append("left"))
    leave()
    stop.tell("x")
    stop.watch(lambda: woken.append("late"))
    assert woken == ["early", "late"]


def test_a_wait_ends_when_told_to_stop() -> None:
    stop = Stop()
    threading.Thread(target=stop.tell, args=("x",)).start()
    assert stop.wait(60)


def test_a_wait_of_no_time_only_looks() -> None:
    stop = Stop()
    assert not stop.wait(0)
    stop.tell("x")
    assert stop.wait(0)


@pytest.mark.parametrize(("timed_out", "verdict"), [(False, Cancelled), (True, TimedOut)])
def test_a_limit_is_a_time_out_and_anything_else_a_cancel(timed_out: bool, verdict: type) -> None:
    stop = Stop()
    stop.tell("cause", timed_out=timed_out)
    assert type(stop.verdict()) is verdict
    assert stop.verdict().message == "cause"
