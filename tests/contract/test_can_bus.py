"""What every driver that offers CanBus does, with a control unit that answers 0x123 with 0x456."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import can
import pytest
from support.lab_vm import modprobe
from support.lawicel import Adapters, Cable
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
from runner.api.unattended import Unattended
from runner.modules.can.can import Can
from runner.modules.can.ecu_sim import EcuSim
from runner.modules.sim.ecu import answer
from runner.modules.sim.sim import Sim

SECOND = Duration(1)
SUPPORT = Path(__file__).resolve().parents[1] / "support"


def _sim(stack: ExitStack, request: pytest.FixtureRequest) -> CanBus:
    driver = Sim()
    driver.open()
    stack.callback(driver.close)
    return driver.can()


def _virtual(stack: ExitStack, request: pytest.FixtureRequest) -> CanBus:
    channel = uuid.uuid4().hex
    stack.enter_context(_control_unit(channel))
    driver = Can(interface="virtual", channel=channel, fd=True)
    driver.open()
    stack.callback(closed, driver)
    return driver


@pytest.fixture(scope="module")
def adapters() -> Iterator[Adapters]:
    """Two adapters on one bus, and the control unit in another process on the second one."""
    made = Adapters()
    with control_unit(made.ports[1], "slcan", "bitrate=500000", "sleep_after_open=0"):
        made.wait_open(1)
        yield made
    made.close()


@pytest.fixture(scope="module")
def cable() -> Iterator[Cable]:
    """A serial cable, and the control unit in another process at its end."""
    made = Cable()
    with control_unit(made.ports[1], "serial"):
        yield made
    made.close()


@contextmanager
def control_unit(*arguments: str) -> Iterator[None]:
    command = [sys.executable, str(SUPPORT / "can_control_unit.py"), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as unit:
        assert unit.stdout is not None
        assert unit.stdout.readline() == "ready\n"
        yield


def _slcan(stack: ExitStack, request: pytest.FixtureRequest) -> CanBus:
    driver = Can(
        interface="slcan",
        channel=request.getfixturevalue("adapters").ports[0],
        bitrate=500000,
        fd=True,
        data_bitrate=2000000,
        options={"sleep_after_open": 0},
    )
    driver.open()
    stack.callback(closed, driver)
    return driver


def _serial(stack: ExitStack, request: pytest.FixtureRequest) -> CanBus:
    driver = Can(interface="serial", channel=request.getfixturevalue("cable").ports[0])
    driver.open()
    stack.callback(closed, driver)
    return driver


@pytest.fixture(scope="module")
def vcan() -> Iterator[str]:
    """An interface of the kernel, and the control unit in another process on it."""
    modprobe("vcan", "can-raw", "can-bcm")
    subprocess.run(["ip", "link", "add", "vcan7", "type", "vcan"], check=True)
    subprocess.run(["ip", "link", "set", "vcan7", "mtu", "72", "up"], check=True)
    with control_unit("vcan7", "socketcan", "fd=1"):
        yield "vcan7"
    subprocess.run(["ip", "link", "delete", "vcan7"], check=True)


def _socketcan(stack: ExitStack, request: pytest.FixtureRequest) -> CanBus:
    driver = Can(interface="socketcan", channel=request.getfixturevalue("vcan"), fd=True)
    driver.open()
    stack.callback(closed, driver)
    return driver


def closed(driver: Can) -> None:
    driver.close()
    for path in driver.artifacts().values():
        path.unlink()


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


def _ecu_sim(stack: ExitStack, request: pytest.FixtureRequest) -> CanBus:
    """A simulated control unit that says nothing by itself, and on its end of the bus one that answers."""
    driver = EcuSim(functional=None)
    driver.open()
    stack.callback(driver.close)
    ending = Unattended()
    thread = threading.Thread(target=_answer_at, args=(driver._theirs, ending))
    thread.start()
    stack.callback(thread.join)
    stack.callback(ending.stop)
    return driver


def _answer_at(end: CanBus, ending: Unattended) -> None:
    after = 0
    with suppress(Cancelled):
        while True:
            frame = end.next(after, 60.0, ending)
            if frame is not None:
                after = frame.number
                answered = answer(frame)
                if answered is not None:
                    end.send(answered, SECOND)


MAKERS: list[Callable[[ExitStack, pytest.FixtureRequest], CanBus]] = [
    _sim,
    _ecu_sim,
    _virtual,
    _slcan,
    _serial,
    _socketcan,
]
MARKS: dict[object, tuple[pytest.MarkDecorator, ...]] = {_socketcan: (pytest.mark.labvm,)}
CLASSIC = {"serial"}
"""Interfaces that know no CAN FD."""


@pytest.fixture(
    params=[pytest.param(make, id=make.__name__.strip("_"), marks=MARKS.get(make, ())) for make in MAKERS]
)
def bus(request: pytest.FixtureRequest) -> Iterator[CanBus]:
    with ExitStack() as stack:
        yield request.param(stack, request)


@pytest.fixture
def context() -> PlainContext:
    return PlainContext()


def test_a_frame_is_answered_after_its_place_in_the_record(bus: CanBus, context: PlainContext) -> None:
    number = bus.send(CanFrame(0x123, ByteString("01 02")), SECOND)
    answer = bus.next(number, 60.0, context)

    assert answer is not None
    assert (answer.id, answer.data, answer.sent) == (0x456, b"\x41\x02", False)
    assert answer.number > number
    assert bus.latest() == answer.number
    assert time.monotonic() - 100 < answer.time <= time.monotonic()


def test_what_came_before_anybody_waited_is_still_there(bus: CanBus, context: PlainContext) -> None:
    for value in range(20):
        bus.send(CanFrame(0x123, ByteString([value])), SECOND)

    after = 0
    seen = []
    while len(seen) < 20:
        frame = bus.next(after, 60.0, context)
        assert frame is not None
        after = frame.number
        seen.append(frame.data[0] - 0x40)
    assert seen == list(range(20))


def test_silence_ends_with_none_when_the_time_is_over(bus: CanBus, context: PlainContext) -> None:
    number = bus.latest()
    started = time.monotonic()

    assert bus.next(number, 0.1, context) is None
    assert 0.09 < time.monotonic() - started < 20


def test_our_own_frames_are_not_received(bus: CanBus, context: PlainContext) -> None:
    before = bus.latest()
    bus.send(CanFrame(0x321, ByteString("AA")), SECOND)

    assert bus.latest() == before + 1
    assert bus.next(before, 0.1, context) is None


def test_a_cancel_ends_the_wait(bus: CanBus, context: PlainContext) -> None:
    threading.Timer(0.1, context.cancel).start()
    started = time.monotonic()

    with pytest.raises(Cancelled):
        bus.next(bus.latest(), 600.0, context)
    assert time.monotonic() - started < 60


def test_a_long_frame_travels_by_can_fd(
    bus: CanBus, context: PlainContext, request: pytest.FixtureRequest
) -> None:
    if request.node.callspec.id in CLASSIC:
        with pytest.raises(RecipeFault, match="is no CAN FD bus"):
            bus.send(CanFrame(0x123, ByteString(bytes(64)), fd=True), SECOND)
        return
    data = ByteString(bytes(range(64)))
    number = bus.send(CanFrame(0x123, data, fd=True), SECOND)
    answer = bus.next(number, 60.0, context)

    assert answer is not None
    assert answer.fd
    assert answer.data == b"\x40" + data[1:]


REFUSED = [
    (CanFrame(0x800, ByteString("00")), "0x800 is no standard CAN identifier"),
    (CanFrame(0x20000000, ByteString("00"), extended=True), "no extended CAN identifier"),
    (CanFrame(0x1, ByteString(bytes(9))), "cannot hold 9 bytes"),
    (CanFrame(0x1, ByteString(bytes(13)), fd=True), "cannot hold 13 bytes"),
    (CanFrame(0x1, ByteString("00"), remote=True), "a remote frame carries no data"),
    (CanFrame(0x1, ByteString(""), remote=True, dlc=9), "asks for 0 to 8 bytes"),
    (CanFrame(0x1, ByteString("00"), bitrate_switch=True), "only CAN FD switches its bit rate"),
    (CanFrame(0x1, ByteString("00"), dlc=2), "dlc is 2, but the data are 1 bytes"),
]


def test_a_frame_that_no_bus_can_carry_is_refused(bus: CanBus) -> None:
    before = bus.latest()

    for frame, message in REFUSED:
        with pytest.raises(RecipeFault, match=message):
            bus.send(frame, SECOND)
    assert bus.latest() == before


def test_what_was_sent_is_found_in_the_record_with_its_time(bus: CanBus, context: PlainContext) -> None:
    before = time.monotonic()
    number = bus.send(CanFrame(0x123, ByteString("07")), SECOND)
    sent, answer = bus.find(number), bus.next(number, 60.0, context)

    assert sent is not None
    assert (sent.id, sent.data, sent.sent, sent.number) == (0x123, b"\x07", True, number)
    assert answer is not None
    assert before <= sent.time <= answer.time
    assert bus.find(answer.number) == answer
    assert bus.find(0) is None
    assert bus.find(bus.latest() + 1) is None


def test_frames_are_sent_periodically_until_they_are_stopped(bus: CanBus, context: PlainContext) -> None:
    frames = [CanFrame(0x123, ByteString([value])) for value in (1, 2)]
    task = bus.send_periodic(frames, Duration("5ms"), None)
    after, seen = 0, []
    while len(seen) < 6:
        frame = bus.next(after, 60.0, context)
        assert frame is not None
        after = frame.number
        seen.append(frame.data[0] - 0x40)
    assert task.running
    sent = task.stop()

    assert not task.running
    assert seen == [1, 2] * 3
    assert sent is None or sent >= 6
    assert task.stop() == sent
    bus.send(CanFrame(0x123, ByteString([9])), SECOND)
    while seen[-1] != 9:  # whoever uses this bus next shall find no late answer on it
        frame = bus.next(after, 60.0, context)
        assert frame is not None
        after = frame.number
        seen.append(frame.data[0] - 0x40)


def test_a_periodic_frame_ends_with_its_duration(bus: CanBus, context: PlainContext) -> None:
    task = bus.send_periodic([CanFrame(0x321, ByteString("01"))], Duration("10ms"), Duration("45ms"))
    until = time.monotonic() + 60
    while task.running and time.monotonic() < until:
        bus.next(bus.latest(), 0.01, context)

    assert not task.running
    assert task.stop() in {None, 5}


def test_it_counts_what_it_sent_and_received(bus: CanBus, context: PlainContext) -> None:
    number = bus.send(CanFrame(0x123, ByteString("00")), SECOND)
    bus.next(number, 60.0, context)
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
    echo = bus.next(number, 60.0, PlainContext())
    closed(bus)

    assert echo is not None
    assert echo.data == b"\xab"


def test_a_classic_bus_refuses_can_fd() -> None:
    bus = Can(interface="virtual", channel=uuid.uuid4().hex)
    bus.open()

    with pytest.raises(RecipeFault, match="is no CAN FD bus"):
        bus.send(CanFrame(0x1, ByteString("00"), fd=True), SECOND)
    closed(bus)


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
        record.next(0, 60.0, PlainContext())
