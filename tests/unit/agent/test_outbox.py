import threading
import time

from runner.agent.frames import LARGEST_PAYLOAD, FrameReader, Kind
from runner.agent.outbox import Outbox, Rank, Turns


def wait_for_waiters(turns: Turns, wanted: int) -> None:
    until = time.monotonic() + 60
    while sum(map(len, turns._waiting)) < wanted:
        assert time.monotonic() < until


def test_the_best_rank_goes_first_and_within_a_rank_the_oldest() -> None:
    turns, order, threads = Turns(), [], []

    def go(rank: Rank, name: str) -> None:
        turns.acquire(rank)
        order.append(name)
        turns.release()

    turns.acquire(Rank.BULK)
    asking = [
        (Rank.BULK, "bulk"),
        (Rank.CONSOLE, "console"),
        (Rank.CONTROL, "first"),
        (Rank.CONTROL, "second"),
    ]
    for count, each in enumerate(asking, start=1):
        threads.append(threading.Thread(target=go, args=each))
        threads[-1].start()
        wait_for_waiters(turns, count)
    turns.release()
    for thread in threads:
        thread.join(60)
    assert order == ["first", "second", "console", "bulk"]


def test_control_gets_between_the_frames_of_something_long() -> None:
    written: list[bytes] = []
    threads: list[threading.Thread] = []

    def write(data: bytes) -> None:
        if not written:
            threads.append(threading.Thread(target=outbox.say, args=(Kind.CANCEL, 2, b"stop")))
            threads[0].start()
            wait_for_waiters(outbox._turns, 1)
        written.append(data)

    outbox = Outbox(write)
    outbox.tell(Kind.RESULT, 1, bytes(3 * LARGEST_PAYLOAD))
    threads[0].join(60)
    kinds = [each.kind for each in FrameReader().feed(b"".join(written))]
    assert kinds == [Kind.RESULT, Kind.CANCEL, Kind.RESULT, Kind.RESULT, Kind.END]


def test_a_short_message_and_its_end_are_one_write() -> None:
    written: list[bytes] = []
    Outbox(written.append).tell(Kind.CALL, 1, b"{}")
    assert len(written) == 1
    assert [each.kind for each in FrameReader().feed(written[0])] == [Kind.CALL, Kind.END]


def test_a_write_that_fails_lets_the_next_one_try() -> None:
    def write(_data: bytes) -> None:
        raise BrokenPipeError

    outbox = Outbox(write)
    for _ in range(2):
        try:
            outbox.say(Kind.PING, 0)
        except BrokenPipeError:
            continue
        raise AssertionError("the error was swallowed")
