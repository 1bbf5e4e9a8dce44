"""What every driver that offers IsoTp does, against can-isotp's own stack on the other side of a bus."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import can
import isotp
import pytest
from support.command import wait_until
from support.plain_context import PlainContext

from runner.api import (
    BytePattern,
    ByteString,
    Cancelled,
    Context,
    Duration,
    Failed,
    LabError,
    RecipeFault,
    TimedOut,
    Unsupported,
)
from runner.api.isotp import IsoTpAddress, IsoTpParams
from runner.fields import parameters_of
from runner.modules.can.can import Can
from runner.modules.can.isotp import Isotp
from runner.modules.can.isotp_config import IsotpConfig
from runner.modules.can.isotp_expect import IsotpExpect
from runner.modules.can.isotp_request import IsotpRequest
from runner.modules.can.isotp_send import IsotpSend

LIMIT = Duration("60s")
ENGINE = IsoTpAddress(txid=0x7E0, rxid=0x7E8)
LONG = bytes(random.Random(15765).randbytes(2048))


class Line:
    """A bus with our driver on one side and the library's stack, or nobody, on the other."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.channel = uuid.uuid4().hex
        self.context = PlainContext()
        self.bus = Can(interface="virtual", channel=self.channel, fd=True)
        self.bus.open()
        stack.callback(self.bus.close)

    def link(self, address: IsoTpAddress = ENGINE, **options: Any) -> Isotp:
        driver = Isotp(address=address, bus=self.bus, **options)
        driver.open()
        self._stack.callback(driver.close)
        return driver

    def peer(self, address: Any = None, **params: Any) -> Any:
        """Put a stack of the library on the other side."""
        bus = can.Bus(interface="virtual", channel=self.channel, fd=True)
        self._stack.callback(bus.shutdown)
        if address is None:
            address = isotp.Address(txid=0x7E8, rxid=0x7E0)
        stack = isotp.CanStack(bus=bus, address=address, params=params)
        stack.start()
        self._stack.callback(stack.stop)
        return stack

    def frames(self) -> Any:
        """Return a bare bus on the other side."""
        bus = can.Bus(interface="virtual", channel=self.channel, fd=True)
        self._stack.callback(bus.shutdown)
        return bus

    def echo(self, peer: Any) -> None:
        """Send back what comes, reversed, until the end."""
        ending = threading.Event()

        def answer() -> None:
            while not ending.is_set():
                received = peer.recv(block=True, timeout=0.1)
                if received is not None:
                    peer.send(bytes(reversed(received)))

        thread = threading.Thread(target=answer)
        thread.start()
        self._stack.callback(thread.join)
        self._stack.callback(ending.set)


@pytest.fixture
def line() -> Iterator[Line]:
    with ExitStack() as stack:
        yield Line(stack)


MODE = isotp.AddressingMode
IDS = {"txid": 0x18DA0102, "rxid": 0x18DA0201}
SHORT_IDS = {"txid": 0x701, "rxid": 0x702}
ENDS = {"target_address": 0x55, "source_address": 0xAA}


@pytest.mark.parametrize(
    ("mode", "fields"),
    [
        ("Normal_11bits", SHORT_IDS),
        ("Normal_29bits", IDS),
        ("NormalFixed_29bits", ENDS),
        ("NormalFixed_29bits", {**ENDS, "physical_id": 0x1ABC0000, "functional_id": 0x1ABD0000}),
        ("Extended_11bits", {**SHORT_IDS, **ENDS}),
        ("Extended_29bits", {**IDS, **ENDS}),
        ("Mixed_11bits", {**SHORT_IDS, "address_extension": 0x99}),
        ("Mixed_29bits", {**ENDS, "address_extension": 0x99}),
    ],
)
def test_messages_of_every_length_travel_in_every_addressing_mode(
    line: Line, mode: Any, fields: dict[str, int]
) -> None:
    mirrored = {
        "txid": "rxid",
        "rxid": "txid",
        "target_address": "source_address",
        "source_address": "target_address",
    }
    peer = line.peer(
        isotp.Address(MODE[mode], **{mirrored.get(name, name): each for name, each in fields.items()})
    )
    link = line.link(IsoTpAddress(mode=mode, **fields))
    line.echo(peer)

    for data in (b"\x01", LONG[:9], LONG[:300]):
        number = link.send(data, LIMIT, line.context)
        answer = link.next(number, LIMIT, line.context)
        assert answer is not None
        assert answer.data == bytes(reversed(data))


def test_each_direction_can_have_an_address_of_its_own(line: Line) -> None:
    ours = isotp.Address(
        MODE.Mixed_29bits, target_address=1, source_address=2, address_extension=3, rx_only=True
    )
    theirs = isotp.Address(MODE.Normal_11bits, txid=0x123, tx_only=True)
    peer = line.peer(isotp.AsymmetricAddress(tx_addr=theirs, rx_addr=ours))
    link = line.link(
        IsoTpAddress(
            mode="Mixed_29bits", target_address=2, source_address=1, address_extension=3, tx_only=True
        ),
        rx_address=IsoTpAddress(rxid=0x123, rx_only=True),
    )
    line.echo(peer)

    number = link.send(LONG[:100], LIMIT, line.context)
    answer = link.next(number, LIMIT, line.context)

    assert answer is not None
    assert answer.data == bytes(reversed(LONG[:100]))


@pytest.mark.parametrize(
    "params",
    [
        IsoTpParams(can_fd=True, tx_data_length=64, bitrate_switch=True),
        IsoTpParams(blocksize=0, tx_padding=0xAA, tx_data_min_length=8),
        IsoTpParams(stmin=1, blocksize=3, max_frame_size=2048),
        IsoTpParams(override_receiver_stmin=0.0, rate_limit_enable=True, rate_limit_max_bitrate=1_000_000),
    ],
)
def test_a_long_message_travels_both_ways_with_any_parameters(line: Line, params: IsoTpParams) -> None:
    peer = line.peer(can_fd=params.can_fd, tx_data_length=params.tx_data_length)
    link = line.link(params=params)
    line.echo(peer)

    number = link.send(LONG, LIMIT, line.context)
    answer = link.next(number, LIMIT, line.context)

    assert answer is not None
    assert answer.data == bytes(reversed(LONG))
    assert answer.number > number


def test_a_single_frame_that_the_rate_limit_held_back_counts_as_sent(line: Line) -> None:
    params = IsoTpParams(rate_limit_enable=True, rate_limit_max_bitrate=1000, rate_limit_window_size=0.1)
    link = line.link(params=params)

    for _ in range(4):
        link.send(bytes(7), LIMIT, line.context)
    assert not link.transmitting()


def test_padding_and_the_shortest_frame_are_on_the_bus(line: Line) -> None:
    bus = line.frames()
    link = line.link(params=IsoTpParams(tx_padding=0x55))

    link.send(b"\x3e\x00", LIMIT, line.context)

    frame = bus.recv(60)
    assert (frame.arbitration_id, bytes(frame.data)) == (0x7E0, bytes.fromhex("02 3E 00 55 55 55 55 55"))


def test_a_functional_message_goes_to_everybodys_address(line: Line) -> None:
    bus = line.frames()
    link = line.link(IsoTpAddress(mode="NormalFixed_29bits", target_address=0x33, source_address=0xF1))

    link.send(b"\x3e\x80", LIMIT, line.context, functional=True)
    assert bus.recv(60).arbitration_id == 0x18DB33F1
    with pytest.raises(RecipeFault, match="Cannot send multi packet frame with Functional"):
        link.send(bytes(20), LIMIT, line.context, functional=True)


def test_what_came_before_anybody_waited_is_still_there_in_order(line: Line) -> None:
    peer, link = line.peer(), line.link()
    for value in range(20):
        peer.send(bytes([value]) * (value + 1))

    after, seen = 0, []
    while len(seen) < 20:
        message = link.next(after, LIMIT, line.context)
        assert message is not None
        after = message.number
        seen.append(message.data[0])
    assert seen == list(range(20))


def test_a_message_that_has_begun_in_time_is_waited_for_to_its_end(line: Line) -> None:
    bus, link = line.frames(), line.link()
    bus.send(
        can.Message(arbitration_id=0x7E8, is_extended_id=False, data=bytes.fromhex("10 14 01 02 03 04 05 06"))
    )
    assert bytes(bus.recv(60).data)[:1] == b"\x30"

    def finish() -> None:
        for number in (1, 2):
            data = bytes([0x20 + number]) + bytes(7)
            bus.send(can.Message(arbitration_id=0x7E8, is_extended_id=False, data=data))

    later = threading.Timer(0.3, finish)
    later.start()
    message = link.next(0, 0.01, line.context)
    later.join()

    assert message is not None
    assert len(message.data) == 20


def test_nobody_there_is_the_boards_fault_and_says_which_limit_to_change(line: Line) -> None:
    link = line.link(params=IsoTpParams(rx_flowcontrol_timeout=100))

    with pytest.raises(
        TimedOut, match=r"20 bytes to 0x7E0 → 0x7E8: no flow control came within 100 ms"
    ) as raised:
        link.send(bytes(20), LIMIT, line.context)
    assert "rx_flowcontrol_timeout" in raised.value.hint
    link.send(b"\x01", LIMIT, line.context)


def test_a_control_unit_without_room_fails_and_one_that_makes_us_wait_may(line: Line) -> None:
    bus, link = line.frames(), line.link(params=IsoTpParams(wftmax=2, rx_flowcontrol_timeout=5000))

    def answer(*flow: str) -> threading.Thread:
        def run() -> None:
            bus.recv(60)
            for each in flow:
                bus.send(can.Message(arbitration_id=0x7E8, is_extended_id=False, data=bytes.fromhex(each)))

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    thread = answer("32 00 00")
    with pytest.raises(Failed, match="no room for it"):
        link.send(bytes(20), LIMIT, line.context)
    thread.join()
    thread = answer("31 00 00", "31 00 00", "30 00 00")
    link.send(bytes(10), LIMIT, line.context)
    thread.join()
    bus.recv(60)
    thread = answer("31 00 00", "31 00 00", "31 00 00")
    with pytest.raises(Failed, match="asked to wait more than 2 times"):
        link.send(bytes(10), LIMIT, line.context)
    thread.join()


def test_a_message_too_long_for_us_is_refused_and_said_when_it_is_missed(line: Line) -> None:
    peer, link = line.peer(), line.link(params=IsoTpParams(max_frame_size=100))
    peer.send(bytes(200))

    deadline = time.monotonic() + 60
    while not link.troubles() and time.monotonic() < deadline:
        link.next(0, 0.01, line.context)
    expect = IsotpExpect(begins=BytePattern("62 F1"), within=Duration("10ms"), link=link)
    with pytest.raises(
        TimedOut, match=r"not a message \[62 F1 …\] within 10ms, and no other; .*max_frame_size is set to 100"
    ):
        expect.run(line.context)


def test_a_time_limit_and_a_cancel_end_a_send_and_the_next_one_works(line: Line) -> None:
    peer = line.peer()
    peer.params.stmin = 127
    link = line.link()

    with pytest.raises(TimedOut, match="were not sent within 200ms"):
        link.send(LONG, Duration("200ms"), line.context)
    threading.Timer(0.2, line.context.cancel).start()
    with pytest.raises(Cancelled):
        link.send(LONG, LIMIT, line.context)
    peer.params.stmin = 0
    again = PlainContext()
    line.echo(peer)
    number = link.send(LONG[:50], LIMIT, again)
    assert link.next(number, LIMIT, again) is not None


def test_a_send_that_is_not_waited_for_can_be_looked_at_and_given_up(line: Line) -> None:
    peer = line.peer()
    peer.params.stmin = 127
    link = line.link()

    link.send(LONG, LIMIT, line.context, wait=False)
    deadline = time.monotonic() + 60
    while not link.transmitting() and time.monotonic() < deadline:
        link.next(0, 0.01, line.context)
    assert link.transmitting()
    link.abort("tx")
    deadline = time.monotonic() + 60
    while link.transmitting() and time.monotonic() < deadline:
        link.next(0, 0.01, line.context)
    assert not link.transmitting()


def test_a_message_to_us_can_be_given_up(line: Line) -> None:
    bus, link = line.frames(), line.link()
    bus.send(
        can.Message(arbitration_id=0x7E8, is_extended_id=False, data=bytes.fromhex("10 14 01 02 03 04 05 06"))
    )
    bus.recv(60)
    link.abort("rx")
    for number in (1, 2):
        data = bytes([0x20 + number]) + bytes(7)
        bus.send(can.Message(arbitration_id=0x7E8, is_extended_id=False, data=data))
    bus.send(can.Message(arbitration_id=0x7E8, is_extended_id=False, data=bytes.fromhex("01 7F")))

    message = link.next(0, LIMIT, line.context)
    assert message is not None
    assert message.data == b"\x7f"


def test_stopped_it_neither_sends_nor_receives_and_keeps_what_it_has(line: Line) -> None:
    peer, link = line.peer(), line.link()
    peer.send(b"\x01")
    assert link.next(0, LIMIT, line.context) is not None
    link.stop()
    link.stop()

    with pytest.raises(RecipeFault, match="is stopped"):
        link.send(b"\x02", LIMIT, line.context)
    link.start()
    link.start()
    peer.send(b"\x03")
    message = link.next(1, LIMIT, line.context)
    assert message is not None
    assert message.data == b"\x03"
    assert link.settings().started


def test_addresses_can_be_swapped_and_halves_are_refused(line: Line) -> None:
    peer, link = line.peer(isotp.Address(txid=0x7E0, rxid=0x7E8)), line.link()
    line.echo(peer)

    link.configure(IsoTpAddress(txid=0x7E8, rxid=0x7E0), None, IsoTpParams(stmin=2))
    number = link.send(LONG[:30], LIMIT, line.context)
    assert link.next(number, LIMIT, line.context) is not None
    assert (link.settings().address.txid, link.settings().params.stmin) == (0x7E8, 2)
    with pytest.raises(RecipeFault, match="half of one"):
        link.configure(IsoTpAddress(txid=0x7E8, tx_only=True), None, None)
    with pytest.raises(RecipeFault, match="has tx_only: true"):
        link.configure(None, IsoTpAddress(rxid=0x7E8, rx_only=True), None)


def test_steps_send_and_receive_physically_and_functionally(line: Line) -> None:
    peer, bus, link = line.peer(), line.frames(), line.link()
    with pytest.raises(TimedOut, match="not a message within 0s"):
        IsotpExpect(within=Duration(0), link=link).run(line.context)

    sent = IsotpSend(data=ByteString("22 F1 90"), link=link).run(line.context)
    assert bytes(peer.recv(block=True, timeout=60)) == b"\x22\xf1\x90"
    peer.send(b"\x62\xf1\x90\x41")
    heard = IsotpExpect(begins=BytePattern("62 F1"), within=LIMIT, link=link).run(line.context)
    again = IsotpExpect(data=BytePattern("62 F1 90 ??"), within=Duration(0), link=link).run(line.context)

    assert (sent.length, heard.data) == (3, again.data)
    assert heard.data == b"\x62\xf1\x90\x41"
    IsotpConfig(address=IsoTpAddress(mode="NormalFixed_29bits", **ENDS), link=link).run(line.context)
    IsotpSend(data=ByteString("3E 80"), target="functional", link=link).run(line.context)
    while (frame := bus.recv(60)).arbitration_id != 0x18DB55AA:
        assert frame.arbitration_id in (0x7E0, 0x7E8)


def test_a_step_gives_up_what_it_sends(line: Line) -> None:
    peer, link = line.peer(), line.link()
    peer.params.stmin = 127
    sent = IsotpSend(data=ByteString(LONG), wait=False, timeout=LIMIT, link=link).run(line.context)
    wait_until(link.transmitting, "it is being sent")
    IsotpConfig(abort="tx", link=link).run(line.context)
    wait_until(lambda: not link.transmitting(), "it is given up")

    assert sent.transmitting is True
    assert peer.recv() is None
    with pytest.raises(TimedOut, match="were not sent within 100ms"):
        IsotpSend(data=ByteString(LONG), timeout=Duration("100ms"), link=link).run(line.context)


def test_a_step_stops_and_starts_it_and_says_how_it_is(line: Line) -> None:
    peer, link = line.peer(), line.link()
    stopped = IsotpConfig(state="stopped", link=link).run(line.context)
    with pytest.raises(RecipeFault, match="is stopped"):
        IsotpSend(data=ByteString("01"), link=link).run(line.context)
    started = IsotpConfig(state="started", link=link).run(line.context)
    peer.send(b"\x02")

    assert (stopped.started, started.started, started.socket) == (False, True, "python")
    assert IsotpExpect(data=BytePattern("02"), within=LIMIT, link=link).run(line.context).number == 1


def test_a_step_changes_addresses_and_parameters(line: Line) -> None:
    ours = isotp.Address(MODE.Normal_11bits, rxid=0x700, rx_only=True)
    theirs = isotp.Address(MODE.Extended_11bits, txid=0x701, target_address=0x11, tx_only=True)
    peer = line.peer(isotp.AsymmetricAddress(tx_addr=theirs, rx_addr=ours))
    link = line.link()
    now = IsotpConfig(
        address=IsoTpAddress(txid=0x700, tx_only=True),
        rx_address=IsoTpAddress(mode="Extended_11bits", rxid=0x701, source_address=0x11, rx_only=True),
        params=IsoTpParams(stmin=3, tx_padding=0x55),
        link=link,
    ).run(line.context)
    line.echo(peer)
    IsotpSend(data=ByteString(LONG[:40]), link=link).run(line.context)

    assert (now.address.txid, now.params.stmin, now.params.tx_padding) == (0x700, 3, 0x55)
    assert now.rx_address is not None
    heard = IsotpExpect(length=40, within=LIMIT, link=link).run(line.context)
    assert heard.data == bytes(reversed(LONG[:40]))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"txid": 0x7E0}, "Normal_11bits needs rxid"),
        ({"txid": 0x7E0, "rxid": 0x7E0}, "both 0x7E0"),
        ({"txid": 0x800, "rxid": 0x7E0}, "0x800 does not fit into 11 bits"),
        ({"mode": "NormalFixed_29bits", "txid": 1}, "needs target_address and source_address"),
        ({"mode": "Extended_11bits", "txid": 1, "rxid": 2}, "needs target_address and source_address"),
        ({"mode": "Mixed_29bits", **ENDS}, "needs address_extension"),
        ({"tx_only": True, "rx_only": True}, "not both"),
    ],
)
def test_an_address_that_its_mode_cannot_use_is_refused_before_the_run(
    fields: dict[str, Any], message: str
) -> None:
    given = {name: parameter.default for name, parameter in parameters_of(IsoTpAddress).items()}

    (misfit, *_) = IsoTpAddress.misfits({**given, **fields})
    assert message in misfit.message


def test_the_kernel_is_asked_only_for_what_it_can(line: Line) -> None:
    with pytest.raises(Unsupported, match="the bus is on virtual, not on socketcan"):
        line.link(socket="kernel")
    assert line.link(socket="auto").settings().socket == "python"


def test_a_bus_that_breaks_is_the_labs_fault(line: Line) -> None:
    link = line.link()
    line.bus._frames.fail(LabError("the adapter was unplugged"))

    with pytest.raises(LabError, match="unplugged"):
        link.next(0, LIMIT, line.context)


def test_a_bus_that_refuses_a_frame_ends_the_send_with_its_reason(line: Line) -> None:
    line.bus.fd = False
    link = line.link(params=IsoTpParams(can_fd=True, tx_data_length=64))

    for data in (b"\x01", LONG):
        with pytest.raises(RecipeFault, match="is no CAN FD bus"):
            link.send(data, LIMIT, line.context)


class Quick(Isotp):
    """A device whose `send` returns when the answer is there already."""

    def send(self, data: bytes, timeout: Duration, context: Context, **how: Any) -> int:
        number = super().send(data, timeout, context, **how)
        assert self.next(number, LIMIT, context) is not None
        return number


def test_an_answer_that_came_before_the_wait_began_is_never_missed(line: Line) -> None:
    line.echo(line.peer())
    slow = line.link()
    quick = Quick(address=ENGINE, bus=line.bus)

    for value in range(200):
        data = value.to_bytes(2, "big")
        request = IsotpRequest(data=data, answer=BytePattern(bytes(reversed(data))), within=LIMIT, link=slow)
        assert request.run(line.context).data == bytes(reversed(data))
    slow.close()
    quick.open()
    request = IsotpRequest(data=LONG, begins=BytePattern(LONG[:-3:-1]), within=Duration(0), link=quick)
    answer = request.run(line.context)
    quick.close()
    assert answer.data == bytes(reversed(LONG))
