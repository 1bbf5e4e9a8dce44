import threading

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.command import wait_until

from runner.agent.calls import Alarm, ConsoleBytes
from runner.agent.consoles import (
    Feed,
    Feeds,
    pack_alarm,
    pack_chunk,
    unpack_chunk,
    unpack_name,
    unpack_told,
)
from runner.agent.credit import WINDOW, Credit
from runner.agent.frames import FIRST_CONSOLE, LARGEST_PAYLOAD, Frame, FrameReader, Kind, ProtocolError
from runner.agent.outbox import Outbox
from runner.console import Chunk
from runner.console.alarm import Alarm as Sighted


class Sent:
    """What was written, as frames."""

    def __init__(self) -> None:
        self.reader = FrameReader()
        self.frames: list[Frame] = []
        self.outbox = Outbox(self.write)

    def write(self, data: bytes) -> None:
        self.frames += self.reader.feed(data)

    def data(self) -> bytes:
        return b"".join(
            unpack_chunk(each.payload, "b", "c").data for each in self.frames if each.kind is Kind.DATA
        )


def chunk(data: bytes, index: int = 0) -> Chunk:
    return Chunk(index=index, monotonic_ns=10, wall_ns=20, data=data)


@given(st.binary(max_size=3 * LARGEST_PAYLOAD), st.integers(0, 2**63))
@example(b"x" * 3 * LARGEST_PAYLOAD, 7)
def test_chunks_of_any_size_arrive_with_their_place_and_time(data: bytes, index: int) -> None:
    got = [unpack_chunk(payload, "b", "c") for payload in pack_chunk(chunk(data, index))]
    assert b"".join(each.data for each in got) == data
    assert [each.index for each in got] == [
        index + sum(len(e.data) for e in got[:n]) for n in range(len(got))
    ]
    assert {(each.monotonic_ns, each.wall_ns, each.gap) for each in got} == {(10, 20, "")}


def test_a_gap_arrives_with_its_reason() -> None:
    gap = Chunk(index=5, monotonic_ns=1, wall_ns=2, data=b"", gap="the port is gone: ttyUSB0 \N{PILE OF POO}")
    (payload,) = pack_chunk(gap)
    assert unpack_chunk(payload, "b", "c") == ConsoleBytes("b", "c", 5, 1, 2, b"", gap.gap)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_chunk_or_a_protocol_error(data: bytes) -> None:
    for unpack in (lambda: unpack_chunk(data, "b", "c"), lambda: unpack_name(data)):
        try:
            unpack()
        except ProtocolError:
            continue


def test_a_feed_begins_with_a_name_and_ends_with_an_end() -> None:
    sent = Sent()
    feed = Feeds(sent.outbox).begin("rpi4", "board.console")
    feed.record(chunk(b"hello"))
    feed.close(60)
    assert [each.kind for each in sent.frames] == [Kind.EVENT, Kind.DATA, Kind.END]
    assert {each.stream for each in sent.frames} == {FIRST_CONSOLE}
    assert unpack_name(sent.frames[0].payload) == ("rpi4", "board.console")
    assert sent.data() == b"hello"


def test_an_alarm_stands_behind_the_bytes_that_it_is_about() -> None:
    sent = Sent()
    feed = Feeds(sent.outbox).begin("rpi4", "board.console")
    feed.record(chunk(b"panic"))
    feed.tell(Sighted(1, "seen", "panic", "kernel panic", "Kernel panic", 7, 3))
    feed.record(chunk(b"more", 5))
    feed.close(60)

    assert [each.kind for each in sent.frames] == [Kind.EVENT, Kind.DATA, Kind.EVENT, Kind.DATA, Kind.END]
    assert unpack_told(sent.frames[2].payload, "rpi4", "board.console") == Alarm(
        "rpi4", "board.console", 1, "seen", "panic", "kernel panic", "Kernel panic", 7, 3
    )
    assert unpack_told(sent.frames[0].payload, "b", "c") is None


def test_the_longest_alarm_fits_into_a_frame() -> None:
    worst = "\N{PILE OF POO}"
    alarm = Sighted(1, "sure", line=worst * 200, tail=worst * 4050, others=(f"{worst * 200}: title",) * 5)

    assert len(pack_alarm(alarm)) <= LARGEST_PAYLOAD


def test_a_feed_sends_no_more_than_its_credit_and_goes_on_when_there_is_more() -> None:
    sent = Sent()
    feeds = Feeds(sent.outbox)
    feed = feeds.begin("b", "c")
    pieces = [bytes([number]) * 16384 for number in range(40)]
    for number, piece in enumerate(pieces):
        feed.record(chunk(piece, number * 16384))
    wait_until(lambda: len(sent.data()) >= WINDOW, "as much is sent as may be")
    assert not feed.settle(0.05)
    assert WINDOW <= len(sent.data()) <= WINDOW + LARGEST_PAYLOAD
    feeds.grant(FIRST_CONSOLE, 10 * WINDOW)
    assert feed.settle(60)
    assert sent.data() == b"".join(pieces)
    feed.close(60)


def test_a_reader_waits_once_too_much_is_kept_and_goes_on_when_it_is_sent() -> None:
    sent = Sent()
    credit = Credit(window=1)
    feed = Feed(FIRST_CONSOLE, sent.outbox, credit, name="c", kept=1000)
    recorded = []

    def read() -> None:
        for number in range(10):
            feed.record(chunk(bytes(500), number * 500))
            recorded.append(number)

    reader = threading.Thread(target=read)
    reader.start()
    reader.join(0.05)
    assert reader.is_alive()
    assert len(recorded) < 6
    credit.grant(10**6)
    reader.join(60)
    assert feed.settle(60)
    assert len(sent.data()) == 5000
    feed.close(60)


def test_closing_lets_a_waiting_reader_go() -> None:
    feed = Feed(FIRST_CONSOLE, Sent().outbox, Credit(window=0), name="c", kept=0)
    feed.record(chunk(b"first"))
    reader = threading.Thread(target=feed.record, args=(chunk(b"second"),))
    reader.start()
    feed.close(0.05)
    reader.join(60)
    assert not reader.is_alive()


def test_a_controller_that_is_gone_lets_readers_run_on() -> None:
    def write(_data: bytes) -> None:
        raise BrokenPipeError

    feed = Feed(FIRST_CONSOLE, Outbox(write), Credit(), name="c", kept=10)
    for number in range(100):
        feed.record(chunk(b"x" * 10, number * 10))
    assert feed.settle(60)


def test_the_last_byte_is_known_and_a_gap_is_none() -> None:
    feed = Feed(FIRST_CONSOLE, Sent().outbox, Credit(), name="c")
    feed.record(Chunk(index=0, monotonic_ns=1, wall_ns=2, data=b"", gap="gone"))
    assert feed.last_byte < 0
    feed.record(chunk(b"x"))
    assert feed.last_byte > 0
    feed.close(60)


def test_bytes_of_a_chunk_that_is_too_short_are_refused() -> None:
    with pytest.raises(ProtocolError):
        unpack_chunk(b"short", "b", "c")
