"""Relay boards on a network and on serial lines: the very bytes, and boards that misbehave."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.relay_boards import Lcus, RtuBoard, TcpBoard, serial_board

from runner.api import Duration, LabError, Unreachable
from runner.modules.relay.relay_modbus import RelayModbus
from runner.modules.relay.relay_serial import RelaySerial

HASTY = Duration("200ms")


@pytest.fixture
def board() -> Iterator[TcpBoard]:
    made = TcpBoard()
    yield made
    made.close()


@pytest.fixture
def relay(board: TcpBoard) -> Iterator[RelayModbus]:
    driver = RelayModbus(port=board.url, coil=7)
    driver.open()
    yield driver
    driver.close()


def test_a_coil_is_written_and_read(board: TcpBoard, relay: RelayModbus) -> None:
    relay.on()
    assert relay.state() == "on"
    relay.off()
    assert relay.state() == "off"

    assert [each.hex(" ") for each in board.coils.asked] == [
        "05 00 07 ff 00",
        "01 00 07 00 01",
        "05 00 07 00 00",
        "01 00 07 00 01",
    ]
    assert board.connections == 1


def test_a_connection_that_has_ended_is_made_again(board: TcpBoard, relay: RelayModbus) -> None:
    relay.on()
    board.coils.mood = "hang up"

    relay.off()

    assert board.connections == 2
    assert relay.state() == "off"


def test_an_old_answer_is_not_taken_for_the_new_one(board: TcpBoard, relay: RelayModbus) -> None:
    relay.on()
    board.coils.mood = "late"

    assert relay.state() == "on"


@pytest.mark.parametrize(
    ("mood", "message"),
    [
        (
            "refuse",
            "coil 7 of unit 1 at tcp://.* could not be switched on: it answered exception 4 \\(server dev",
        ),
        ("garble", "could not be switched on: it answered 48 54 54 50 2f 31 2e, which is no Modbus frame"),
    ],
)
def test_what_a_board_answers_is_told(board: TcpBoard, relay: RelayModbus, mood: str, message: str) -> None:
    board.coils.mood = mood
    with pytest.raises(LabError, match=message) as caught:
        relay.on()
    assert type(caught.value) is LabError

    board.coils.mood = "fine"
    relay.on()
    assert relay.state() == "on"


def test_a_coil_that_is_not_there_is_told(board: TcpBoard) -> None:
    relay = RelayModbus(port=board.url, coil=8)
    relay.open()

    with pytest.raises(
        LabError, match="coil 8 .* could not be read: it answered exception 2 \\(illegal data address"
    ):
        relay.state()
    relay.close()


def test_a_board_that_is_silent_is_told_with_the_limit_and_asked_anew(board: TcpBoard) -> None:
    relay = RelayModbus(port=board.url, coil=7, timeout=HASTY)
    relay.open()
    board.coils.mood = "stall"
    with pytest.raises(Unreachable, match="coil 7 of unit 1 at tcp://.* did not answer within 200ms"):
        relay.on()
    relay.close()


def test_a_board_that_is_not_there_is_told(board: TcpBoard) -> None:
    board.close()

    with pytest.raises(Unreachable, match=f"coil 0 of unit 1 at {board.url} could not be opened: .*refused"):
        RelayModbus(port=board.url, coil=0).open()
    with pytest.raises(Unreachable, match="at /dev/no-such-port could not be opened"):
        RelayModbus(port="/dev/no-such-port", coil=0).open()
    with pytest.raises(Unreachable, match="relay 1 at /dev/no-such-port could not be opened"):
        RelaySerial(port="/dev/no-such-port").open()


def test_frames_on_a_line_are_checked() -> None:
    coils = RtuBoard()
    with serial_board(coils.take) as line:
        relay = RelayModbus(port=line.port, coil=2)
        relay.open()
        relay.on()
        assert (relay.state(), coils.closed[2]) == ("on", True)
        coils.mood = "garble"
        with pytest.raises(LabError, match="which unit 1 did not send whole"):
            relay.off()
        coils.mood = "refuse"
        with pytest.raises(LabError, match="exception 4"):
            relay.off()
        relay.close()
    assert coils.asked[0].hex(" ") == "05 00 02 ff 00"


def test_orders_have_a_sum() -> None:
    relays = Lcus()
    with serial_board(relays.take) as line:
        relay = RelaySerial(port=line.port, channel=2, channels=2)
        relay.open()
        relay.on()
        assert (relay.state(), relays.closed) == ("on", [False, True])
        relay.off()
        assert (relay.state(), relays.closed) == ("off", [False, False])
        relay.close()
    assert relays.asked.hex(" ") == "a0 02 01 a3 ff a0 02 00 a2 ff"


def test_a_relay_that_is_normally_closed_is_the_other_way_round() -> None:
    relays = Lcus()
    with serial_board(relays.take) as line:
        relay = RelaySerial(port=line.port, channel=1, channels=2, normally_closed=True)
        relay.open()
        assert relay.state() == "on"
        relay.off()
        assert (relay.state(), relays.closed) == ("off", [True, False])
        relay.on()
        assert (relay.state(), relays.closed) == ("on", [False, False])
        relay.close()


def test_a_board_that_tells_nothing_is_told_with_the_limit() -> None:
    relays = Lcus()
    with serial_board(relays.take) as line:
        relay = RelaySerial(port=line.port, channel=3, channels=3, timeout=HASTY)
        relay.open()
        with pytest.raises(Unreachable, match="relay 3 at .* did not tell 3 relays within 200ms"):
            relay.state()
        relay.close()
        unasked = RelaySerial(port=line.port)
        unasked.open()
        assert unasked.state() is None
        unasked.close()
