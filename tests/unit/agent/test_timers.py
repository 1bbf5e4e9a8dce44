import math
import threading

from runner.agent.timers import Timers


def test_only_what_is_due_rings_and_only_once() -> None:
    rung: list[object] = []
    timers = Timers(clock=lambda: 100.0)
    timers.after(10, lambda: rung.append("soon"))
    timers.after(20, lambda: rung.append("late"))
    leave = timers.after(5, lambda: rung.append("taken back"))
    leave()
    leave()
    for now in (109.0, 110.0, 111.0):
        for ring in timers.due(now):
            ring()
            rung.append(now)
    assert rung == ["soon", 110.0]


def test_a_timer_that_is_set_earlier_than_the_others_rings_first() -> None:
    timers, rung = Timers(), threading.Event()
    timers.after(3600, lambda: None)
    while timers._wakes_at == math.inf:
        pass
    timers.after(0.01, rung.set)
    assert rung.wait(60)
