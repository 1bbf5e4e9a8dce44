"""Nothing is missed: frames between a send and its expect, at speed, in the log, and after a failure."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import can
import pytest
from support.plain_context import PlainContext

from runner.api import ByteString, CanFilter, CanFrame, Duration, LabError, Size
from runner.modules.can.can import Can
from runner.modules.can.can_expect import CanExpect
from runner.modules.can.can_send import CanSend
from runner.modules.can.port import Port

TRIES = 10_000
SECOND = Duration(1)


@contextmanager
def opened(**options: object) -> Iterator[Can]:
    bus = Can(interface="virtual", **{"log": "none", **options})
    bus.open()
    try:
        yield bus
    finally:
        bus.close()


def test_a_frame_between_the_send_and_the_expect_is_never_missed() -> None:
    """The answer is there before, while and after the expect begins, as threads happen to run."""
    channel = uuid.uuid4().hex
    unit = can.Bus(interface="virtual", channel=channel)

    def answer() -> None:
        for _ in range(TRIES):
            asked = unit.recv(timeout=30)
            assert asked is not None
            unit.send(can.Message(arbitration_id=0x456, is_extended_id=False, data=asked.data))

    answering = threading.Thread(target=answer)
    answering.start()
    context = PlainContext()
    with opened(channel=channel, record=64) as bus:
        for number in range(TRIES):
            data = ByteString(number.to_bytes(2, "big"))
            CanSend(id=0x123, data=data, bus=bus).run(context)
            got = CanExpect(id=0x456, within=Duration(30), bus=bus).run(context)
            assert got.data == data
        answering.join()
        counters = bus.info()
    unit.shutdown()

    assert (counters["sent"], counters["received"]) == (TRIES, TRIES)


def test_no_frame_is_lost_at_eight_thousand_a_second() -> None:
    channel, rate, count = uuid.uuid4().hex, 8000, 12_000
    source = can.Bus(interface="virtual", channel=channel)
    with opened(channel=channel, log="asc") as bus:
        path = next(iter(bus.artifacts().values()))
        began = time.monotonic()
        for number in range(count):
            while time.monotonic() < began + number / rate:
                time.sleep(0.0005)
            source.send(
                can.Message(arbitration_id=0x100, is_extended_id=False, data=number.to_bytes(4, "big"))
            )
        after, seen = 0, 0
        while seen < count:
            frame = bus.next(after, 30.0, PlainContext())
            assert frame is not None, f"{seen} of {count} came"
            assert int.from_bytes(frame.data, "big") == seen
            after, seen = frame.number, seen + 1
    source.shutdown()

    with can.LogReader(path) as log:
        assert [int.from_bytes(each.data, "big") for each in log] == list(range(count))
    path.unlink()


@pytest.mark.parametrize(("kind", "suffix"), [("candump", ".log"), ("asc", ".asc"), ("blf", ".blf")])
def test_the_log_has_every_frame_in_its_order(kind: str, suffix: str) -> None:
    channel = uuid.uuid4().hex
    other = can.Bus(interface="virtual", channel=channel, protocol=can.CanProtocol.CAN_FD)
    frames = [
        CanFrame(0x123, ByteString("01 02")),
        CanFrame(0x18DAF110, ByteString(""), extended=True),
        CanFrame(0x124, ByteString(""), remote=True, dlc=8),
        CanFrame(0x125, ByteString(bytes(range(12))), fd=True, bitrate_switch=True),
    ]
    began = time.time()
    with opened(channel=channel, log=kind, fd=True) as bus:
        for frame in frames:
            bus.send(frame, SECOND)
        other.send(can.Message(arbitration_id=0x7FF, is_extended_id=False, data=b"\xff"))
        bus.next(0, 30.0, PlainContext())
        (ending, path), *_ = bus.artifacts().items()
    other.shutdown()

    assert ending == suffix
    with can.LogReader(path) as log:
        read = list(log)
    path.unlink()
    assert [each.arbitration_id for each in read] == [0x123, 0x18DAF110, 0x124, 0x125, 0x7FF]
    assert [each.is_extended_id for each in read] == [False, True, False, False, False]
    assert (read[2].is_remote_frame, read[3].is_fd, read[3].bitrate_switch) == (True, True, True)
    assert (bytes(read[3].data), bytes(read[4].data)) == (bytes(range(12)), b"\xff")
    assert [each.is_rx for each in read] == [False] * 4 + [True]
    if kind != "asc":  # whose times begin with 0
        assert all(began - 1 < each.timestamp < time.time() + 1 for each in read)


@pytest.mark.parametrize(
    ("kind", "known_as"), [("candump", "adapter-4294967296"), ("asc", 2**32), ("blf", 0)]
)
def test_a_channel_with_a_large_number_has_a_log_too(kind: str, known_as: str | int) -> None:
    with opened(channel="adapter-4294967296", log=kind) as bus:
        bus.send(CanFrame(0x123, ByteString("01 02")), SECOND)
        (path,) = bus.artifacts().values()

    with can.LogReader(path) as log:
        assert [(each.arbitration_id, each.channel) for each in log] == [(0x123, known_as)]
    path.unlink()


def test_a_log_ends_at_its_limit_and_the_bus_goes_on() -> None:
    channel = uuid.uuid4().hex
    source = can.Bus(interface="virtual", channel=channel)
    with opened(channel=channel, log="candump", log_limit=Size(2000)) as bus:
        path = next(iter(bus.artifacts().values()))
        for number in range(6000):
            source.send(
                can.Message(arbitration_id=0x100, is_extended_id=False, data=number.to_bytes(4, "big"))
            )
        until = time.monotonic() + 30
        while not bus.info()["log_full"] and time.monotonic() < until:
            time.sleep(0.01)
        assert bus.info()["log_full"]
        assert bus.send(CanFrame(1, ByteString("")), SECOND) > 0
    source.shutdown()
    assert 2000 <= path.stat().st_size < 200_000
    path.unlink()


def test_filters_keep_frames_away_and_are_taken_away_again() -> None:
    channel = uuid.uuid4().hex
    source = can.Bus(interface="virtual", channel=channel)
    with opened(channel=channel) as bus:

        def passed() -> list[int]:
            before = bus.latest()
            for identifier in (0x100, 0x101, 0x200, 0x7FF):
                source.send(can.Message(arbitration_id=identifier, is_extended_id=False))
            found: list[int] = []
            while not found or found[-1] != 0x7FF:
                frame = bus.next(before, 30.0, PlainContext())
                assert frame is not None
                before, found = frame.number, [*found, frame.id]
            return found

        assert passed() == [0x100, 0x101, 0x200, 0x7FF]
        bus.filter([CanFilter(0x100, 0x7FE, extended=False), CanFilter(0x7FF, 0x7FF)])
        assert passed() == [0x100, 0x101, 0x7FF]
        bus.filter([])
        assert passed() == [0x100, 0x101, 0x200, 0x7FF]
    source.shutdown()


def test_a_bus_that_refuses_a_periodic_frame_says_so_when_it_is_stopped_or_closed() -> None:
    channel = uuid.uuid4().hex
    deaf = can.Bus(interface="virtual", channel=channel, rx_queue_size=1)
    bus = Can(interface="virtual", channel=channel, log="none")
    bus.open()
    frame = CanFrame(0x55, ByteString("01"))
    tasks = [bus.send_periodic([frame], Duration("5ms"), None) for _ in range(2)]
    bus.work.start("heartbeat", tasks[0])
    until = time.monotonic() + 30
    while any(task.running for task in tasks) and time.monotonic() < until:
        time.sleep(0.01)

    assert not tasks[0].running
    assert bus.work.find("heartbeat") is None
    with pytest.raises(LabError, match="cannot send 0x55 on CAN bus virtual"):
        tasks[1].stop()
    with pytest.raises(LabError, match="task 'heartbeat': cannot send 0x55 on CAN bus virtual"):
        bus.close()
    deaf.shutdown()


def test_a_full_queue_is_tried_again_until_the_time_is_over() -> None:
    class Full:
        """An interface whose queue is full for the first tries (SocketCAN says ENOBUFS)."""

        channel_info = "full"

        def __init__(self, tries: int) -> None:
            self.left = tries

        def send(self, message: can.Message, timeout: float) -> None:
            if self.left:
                self.left -= 1
                raise can.CanOperationError("Failed to transmit: No buffer space available", 105)

    port = Port(Full(3), {"interface": "slcan", "channel": "x"})
    port.send(CanFrame(1, ByteString("")), 30.0, None)
    assert port.retries == 3

    port = Port(Full(10**9), {"interface": "slcan", "channel": "x"})
    with pytest.raises(
        LabError, match=r"cannot send 0x1 on CAN bus slcan x within 0.05 s: .*No buffer space"
    ) as caught:
        port.send(CanFrame(1, ByteString("")), 0.05, "passive")
    assert "the bus is passive" in caught.value.message
    assert caught.value.evidence == {"error_code": 105}
