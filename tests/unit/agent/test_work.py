import threading

from runner.agent.work import Workers


def test_work_that_waits_does_not_hold_up_other_work() -> None:
    workers, go, done = Workers(), threading.Event(), threading.Event()
    for _ in range(20):
        workers.run(lambda: go.wait(60))
    workers.run(done.set)
    assert done.wait(60)
    go.set()


def test_a_free_thread_is_used_again() -> None:
    workers, names = Workers(), []
    for _ in range(50):
        done = threading.Event()
        workers.run(lambda done=done: (names.append(threading.current_thread().name), done.set()))
        assert done.wait(60)
        while workers._free == 0:
            pass
    assert set(names) == {"worker 1"}
