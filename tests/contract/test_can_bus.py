"""What every driver that offers CanBus does, with a control unit that answers 0x123 with 0x456."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import can
import pytest
from support.plain_context import PlainContext

from runner.api import (
    ByteString,
    CanBus,
    Cancelled,
    CanFrame,
    Duration,
    LabError,
    RecipeFault,
    Unreachable,
    Unsupported,
)
from runner.api.frames import FrameRecord
from runner.modules.can.can import Can
from runner.modules.sim.sim import Sim

SECOND = Duration(1)


def _sim(stack: ExitStack) -> CanBus:
    driver = Sim()
    driver.open()
    stack.callback(driver.close)
    return driver.can()


def _virtual(stack: ExitStack) -> CanBus:
    channel = uuid.uuid4().hex
    stack.enter_context(_control_unit(channel))
    driver = Can(interface="virtual", channel=channel, fd=True)
    driver.open()
    stack.callback(driver.close)
    return driver


class _control_unit:  # noqa: N801 - read as a function: with _control_unit(channel)
    """A second node of a virtual bus."""

    def __init__(self, channel: str) -> None:
        self._bus = can.Bus(interface="virtual", channel=channel)
        self._notifier = can.Notifier(self._bus, [self._answer], timeout=0.05)

    def _answer(self, message: can.Message) -> None:
        if message.arbitration_id == 0x123 and not message.is_extended_id:
            first = bytes([message.data[0] + 0x40]) if message.data else b""
            data = first + bytes(message.data[1:])
            self._bus.send(
                can.Message(arbitration_id=0x456, is_extended_id=False, data=data, is_fd=message.is_fd)
            )

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self._notifier.stop()
        self._bus.shutdown()


MAKERS: list[Callable[[ExitStack], CanBus]] = [_sim, _virtual]


@pytest.fixture(params=[pytest.param(make, id=make.__name__.strip("_")) for make in MAKERS])
def bus(request: pytest.FixtureRequest) -> Iterator[CanBus]:
    with ExitStack() as stack:
        yield request.param(stack)


@pytest.fixture
def context() -> PlainContext:
    return PlainContext()


def test_a_frame_is_answered_after_its_place_in_the_record(bus: CanBus, context: PlainContext) -> None:
    number = bus.send(CanFrame(0x123, ByteString("01 02")), SECOND)
    answer = bus.next(number, 5.0, context)

    assert answer is not None
    assert (answer.id, answer.data, answer.sent) == (0x456, b"\x41\x02", False)
    assert answer.number > number
    assert bus.latest() == answer.number
    assert time.monotonic() - 10 < answer.time <= time.monotonic()


def test_what_came_before_anybody_waited_is_still_there(bus: CanBus, context: PlainContext) -> None:
    for value in range(20):
        bus.send(CanFrame(0x123, ByteString([value])), SECOND)

    after = 0
    seen = []
    while len(seen) < 20:
        frame = bus.next(after, 5.0, context)
        assert frame is not None
        after = frame.number
        seen.append(frame.data[0] - 0x40)
    assert seen == list(range(20))


def test_silence_ends_with_none_when_the_time_is_over(bus: CanBus, context: PlainContext) -> None:
    number = bus.latest()
    started = time.monotonic()

    assert bus.next(number, 0.1, context) is None
    assert 0.09 < time.monotonic() - started < 2


def test_our_own_frames_are_not_received(bus: CanBus, context: PlainContext) -> None:
    before = bus.latest()
    bus.send(CanFrame(0x321, ByteString("AA")), SECOND)

    assert bus.latest() == before + 1
    assert bus.next(before, 0.1, context) is None


def test_a_cancel_ends_the_wait(bus: CanBus, context: PlainContext) -> None:
    threading.Timer(0.1, context.cancel).start()
    started = time.monotonic()

    with pytest.raises(Cancelled):
        bus.next(bus.latest(), 60.0, context)
    assert time.monotonic() - started < 5


def test_a_long_frame_travels_by_can_fd(bus: CanBus, context: PlainContext) -> None:
    data = ByteString(bytes(range(64)))
    number = bus.send(CanFrame(0x123, data, fd=True), SECOND)
    answer = bus.next(number, 5.0, context)

    assert answer is not None
    assert answer.fd
    assert answer.data == b"\x40" + data[1:]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (CanFrame(0x800, ByteString("00")), "0x800 is no standard CAN identifier"),
        (CanFrame(0x20000000, ByteString("00"), extended=True), "no extended CAN identifier"),
        (CanFrame(0x1, ByteString(bytes(9))), "cannot hold 9 bytes"),
        (CanFrame(0x1, ByteString(bytes(13)), fd=True), "cannot hold 13 bytes"),
        (CanFrame(0x1, ByteString("00"), remote=True), "a remote frame carries no data"),
    ],
)
def test_a_frame_that_no_bus_can_carry_is_refused(bus: CanBus, frame: CanFrame, message: str) -> None:
    before = bus.latest()

    with pytest.raises(RecipeFault, match=message):
        bus.send(frame, SECOND)
    assert bus.latest() == before


def test_it_counts_what_it_sent_and_received(bus: CanBus, context: PlainContext) -> None:
    number = bus.send(CanFrame(0x123, ByteString("00")), SECOND)
    bus.next(number, 5.0, context)
    info = bus.info()

    assert (info["sent"], info["received"], info["errors"]) == (1, 1, 0)
    assert info["state"] == "active"


def test_frames_that_are_lost_from_the_record_are_an_error() -> None:
    record = FrameRecord("CAN bus test", capacity=4)
    for value in range(10):
        record.add(CanFrame(value, ByteString("")))

    with pytest.raises(LabError, match="6 frames after number 0 are lost"):
        record.next(0, 0.0, PlainContext())
    oldest = record.next(6, 0.0, PlainContext())
    assert oldest is not None
    assert (oldest.number, oldest.id) == (7, 6)


def test_own_messages_are_received_when_they_are_wanted() -> None:
    bus = Can(interface="virtual", channel=uuid.uuid4().hex, receive_own_messages=True)
    bus.open()
    number = bus.send(CanFrame(0x10, ByteString("AB")), SECOND)
    echo = bus.next(number, 5.0, PlainContext())
    bus.close()

    assert echo is not None
    assert echo.data == b"\xab"


def test_a_classic_bus_refuses_can_fd() -> None:
    bus = Can(interface="virtual", channel=uuid.uuid4().hex)
    bus.open()

    with pytest.raises(RecipeFault, match="is no CAN FD bus"):
        bus.send(CanFrame(0x1, ByteString("00"), fd=True), SECOND)
    bus.close()


def test_an_interface_that_does_not_exist_is_unsupported() -> None:
    with pytest.raises(Unsupported, match="nosuch"):
        Can(interface="nosuch", channel=0).open()


def test_a_bus_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="cannot open CAN bus socketcan nosuch0"):
        Can(interface="socketcan", channel="nosuch0").open()


def test_a_bus_that_breaks_tells_whoever_waits() -> None:
    record = FrameRecord("CAN bus test")
    threading.Timer(0.05, record.fail, [LabError("the adapter was unplugged")]).start()

    with pytest.raises(LabError, match="unplugged"):
        record.next(0, 10.0, PlainContext())
