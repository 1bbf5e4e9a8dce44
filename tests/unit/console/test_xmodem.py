"""XMODEM and YMODEM, byte by byte, with a bad line between two sides."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from runner.console.xmodem import (
    ACK,
    CAN,
    EOT,
    NAK,
    SOH,
    STX,
    Conversation,
    Receiver,
    Sender,
    block,
    check,
)

C = b"C"
Line = Callable[[bytes], bytes]


def clean(data: bytes) -> bytes:
    return data


def converse(sender: Conversation, receiver: Conversation, line: Line = clean, back: Line = clean) -> None:
    """Let two sides speak; silence is when neither has anything to say."""
    to_receiver, to_sender = line(sender.opening()), back(receiver.opening())
    for _ in range(10_000):
        if (sender.done or sender.problem) and (receiver.done or receiver.problem):
            return
        if to_sender and not sender.done:
            said, to_sender = to_sender[: sender.wants], to_sender[sender.wants :]
            to_receiver += line(sender.heard(said))
        elif len(to_receiver) >= receiver.wants and not receiver.done:
            said, to_receiver = to_receiver[: receiver.wants], to_receiver[receiver.wants :]
            to_sender += back(receiver.heard(said))
        elif to_receiver and not receiver.done:
            said, to_receiver = to_receiver, b""
            to_sender += back(receiver.heard(said))
        else:
            to_receiver, to_sender = b"", b""
            to_sender += back(receiver.silent()) if not receiver.done else b""
            if not to_sender and not sender.done:
                to_receiver += line(sender.silent())
    raise AssertionError("they talk for ever")


@pytest.mark.parametrize("large", [True, False])
@pytest.mark.parametrize("size", [0, 1, 127, 128, 129, 1023, 1024, 1025, 70_000])
def test_what_is_sent_arrives_filled_up_to_a_block(size: int, large: bool) -> None:
    content = random.Random(size).randbytes(size)
    sender, receiver = Sender(content, large=large), Receiver()

    converse(sender, receiver)

    assert receiver.content.rstrip(b"\x1a") == content.rstrip(b"\x1a")
    assert receiver.content[:size] == content
    assert len(receiver.content) - size < 128
    assert (sender.moved, sender.repeated, receiver.repeated) == (size, 0, 0)


@pytest.mark.parametrize("at", [0, 1, 2, 3, 70, 130, 131, 132, 133, 200])
@pytest.mark.parametrize("how", ["drop", "flip"])
def test_a_damaged_byte_anywhere_is_repaired(at: int, how: str) -> None:
    content = bytes(range(256)) * 2
    sender, receiver = Sender(content), Receiver()
    counted = 0

    def line(data: bytes) -> bytes:
        nonlocal counted
        place, counted = at - counted, counted + len(data)
        if not 0 <= place < len(data):
            return data
        hurt = b"" if how == "drop" else bytes([data[place] ^ 0x40])
        return data[:place] + hurt + data[place + 1 :]

    converse(sender, receiver, line)

    assert receiver.content[:512] == content
    assert sender.repeated >= 1


def test_a_lost_acknowledgement_gives_no_block_twice() -> None:
    content = bytes(1024)
    sender, receiver = Sender(content), Receiver()
    acknowledged = 0

    def back(data: bytes) -> bytes:
        nonlocal acknowledged
        acknowledged += data.count(ACK)
        return b"" if acknowledged == 3 and data == bytes([ACK]) else data

    converse(sender, receiver, back=back)

    assert len(receiver.content) == 1024
    assert receiver.repeated == 1


def test_a_block_is_as_the_document_says() -> None:
    assert block(1, bytes(128), crc=True) == b"\x01\x01\xfe" + bytes(128) + b"\0\0"
    assert block(0x1FF, bytes(1024), crc=False)[:3] == b"\x02\xff\x00"
    assert check(b"123456789", crc=True) == b"\x31\xc3"


def test_a_receiver_that_knows_no_crc_gets_sums() -> None:
    sender = Sender(b"A")

    assert sender.heard(bytes([NAK])) == b"\x01\x01\xfe" + b"A" + b"\x1a" * 127 + bytes(
        [(65 + 26 * 127) & 255]
    )


def test_the_letter_c_in_a_text_does_not_begin() -> None:
    sender = Sender(b"A")

    for byte in b"## Ready for binary download to 0x4C00CC00 at 115200 bps, C":
        assert sender.heard(bytes([byte])) == b""
    assert sender.heard(b"\n") == b""
    assert sender.heard(C).startswith(bytes([SOH]))


def test_after_silence_a_c_begins_also_behind_text() -> None:
    sender = Sender(b"A")
    sender.heard(b"x")
    sender.silent()

    assert sender.heard(C).startswith(bytes([SOH]))


def test_of_several_requests_the_last_one_counts() -> None:
    sender = Sender(b"A")

    assert sender.heard(C, more=True) == b""
    assert len(sender.heard(bytes([NAK]))) == 132


@pytest.mark.parametrize("answers", [2, 1])
def test_a_request_that_crosses_the_first_block_may_be_answered_twice(answers: int) -> None:
    sender = Sender(bytes(range(256)))
    first = sender.heard(C)

    assert sender.heard(C) == first
    assert sender.heard(bytes([ACK])) == b""
    assert sender.patience == 0.5
    second = sender.heard(bytes([ACK])) if answers == 2 else sender.silent()
    assert second[1] == 2
    assert sender.heard(bytes([ACK])) == bytes([EOT])


@pytest.mark.parametrize("refused", [C, bytes([NAK])])
def test_a_later_block_and_the_end_are_sent_again_at_once_when_refused_by_c_or_nak(refused: bytes) -> None:
    sender = Sender(bytes(200))
    sender.heard(C)
    second = sender.heard(bytes([ACK]))

    assert sender.heard(refused) == second
    assert sender.heard(bytes([ACK])) == bytes([EOT])
    assert sender.heard(refused) == bytes([EOT])


def test_a_program_that_ends_has_all_or_not() -> None:
    lost, cut = Sender(b"x"), Sender(b"x")
    for side in (lost, cut):
        side.heard(C)
    assert lost.heard(bytes([ACK])) == bytes([EOT])

    for side in (lost, cut):
        side.over()

    assert (lost.done, lost.problem) == (True, "")
    assert (cut.done, cut.problem) == (False, "the program at the other end has ended before the transfer")


def test_a_receiver_that_asks_for_nothing_behind_the_header_gets_the_blocks_all_the_same() -> None:
    sender = Sender(b"hello", name="u-boot.bin")
    sender.heard(C)

    assert sender.heard(bytes([ACK])) == b""
    assert sender.patience == 0.3
    assert sender.silent()[3:8] == b"hello"


def test_ymodem_tells_name_and_size_first_and_that_nothing_follows() -> None:
    sender = Sender(b"hello", name="u-boot.bin")

    header = sender.heard(C)
    assert header[:3] == bytes([SOH, 0, 255])
    assert header[3:131] == b"u-boot.bin\x005".ljust(128, b"\0")
    assert sender.heard(bytes([ACK])) == b""
    assert sender.heard(C)[3:8] == b"hello"
    assert sender.heard(bytes([ACK])) == bytes([EOT])
    assert sender.heard(bytes([NAK])) == bytes([EOT])
    assert sender.heard(bytes([ACK])) == b""
    assert sender.heard(C) == block(0, bytes(128), crc=True)
    assert not sender.done
    sender.heard(bytes([ACK]))
    assert sender.done
    assert not sender.problem


def test_large_blocks_are_used_as_long_as_they_are_filled() -> None:
    sender = Sender(bytes(1024 + 100), large=True)

    assert sender.heard(C)[0] == STX
    assert sender.heard(bytes([ACK]))[0] == SOH


def test_a_large_block_that_is_refused_three_times_is_sent_in_small_ones() -> None:
    content = random.Random(3).randbytes(3000)
    sender, receiver = Sender(content, large=True), Receiver()

    converse(sender, receiver, lambda data: data[:256] if len(data) > 1024 else data)

    assert receiver.content[:3000] == content
    assert sender.repeated == 3


@pytest.mark.parametrize("side", [Sender(b"x" * 200), Receiver()], ids=["sender", "receiver"])
def test_two_cancels_end_it_and_one_does_not(side: Conversation) -> None:
    side.heard(bytes([CAN]))
    assert not side.problem
    side.heard(bytes([CAN]))

    assert side.problem == "the other side has cancelled"


def test_a_side_that_never_begins_is_given_up() -> None:
    for side, seconds in ((Sender(b"x"), 0.5), (Receiver(), 3.0)):
        assert side.patience == seconds
        for _ in range(round(60 / seconds)):
            assert not side.silent().startswith(bytes([CAN]))
        said = side.silent()

        assert said.startswith(bytes([CAN, CAN]))
        assert side.problem == "the other side does not begin"


def test_a_block_that_never_arrives_is_given_up_with_a_word_to_the_other_side() -> None:
    sender = Sender(b"x")
    sender.heard(C)

    said = [sender.heard(bytes([NAK])) for _ in range(10)]

    assert sender.problem == "the same block was refused 10 times"
    assert said[-1].startswith(bytes([CAN, CAN]))


def test_blocks_out_of_order_are_given_up() -> None:
    receiver = Receiver()
    receiver.heard(bytes([SOH]))

    assert receiver.heard(block(3, bytes(128), crc=True)[1:]).startswith(bytes([CAN]))
    assert receiver.problem == "block 3 came, block 1 was expected"
