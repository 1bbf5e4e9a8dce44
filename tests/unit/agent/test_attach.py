"""What is said over the socket of a console that an agent holds."""

import pytest

from runner.agent.attach import (
    Greeting,
    farewell,
    greeting,
    read_greeting,
    received,
    remark,
    socket_name,
    socket_pattern,
    typed,
    welcome,
    words,
)
from runner.agent.consoles import pack_chunk, unpack_chunk
from runner.agent.frames import Frame, FrameReader, Kind, ProtocolError
from runner.console import Chunk


def read(data: bytes) -> Frame:
    reader = FrameReader()
    (found,) = reader.feed(data)
    reader.finish()
    return found


@pytest.mark.parametrize("steal", [True, False])
def test_a_greeting_says_whether_the_input_is_wanted(*, steal: bool) -> None:
    assert read_greeting(read(greeting(Greeting(steal=steal)))) == Greeting(steal=steal)


@pytest.mark.parametrize(
    "heard",
    [
        Frame(Kind.DATA, 0, b"ls"),
        Frame(Kind.HELLO, 0, b"[]"),
        Frame(Kind.HELLO, 0, b'{"protocol":0}'),
        Frame(Kind.HELLO, 0, b"\xff"),
    ],
)
def test_what_is_no_greeting_is_refused(heard: Frame) -> None:
    with pytest.raises(ProtocolError):
        read_greeting(heard)


def test_only_a_true_wish_takes_the_input() -> None:
    greet = read_greeting(Frame(Kind.HELLO, 0, b'{"protocol":1,"steal":"no"}'))

    assert greet == Greeting(steal=False)


def test_what_is_received_keeps_its_stamp() -> None:
    (payload,) = pack_chunk(Chunk(7, 1, 2, b"\x00\xff"))
    heard = unpack_chunk(read(received(payload)).payload, "b", "uart")

    assert (heard.index, heard.monotonic_ns, heard.wall_ns, heard.data) == (7, 1, 2, b"\x00\xff")


def test_remarks_and_farewells_are_short_text() -> None:
    assert words(read(remark("gone é"))) == "gone é"
    assert read(farewell("x" * 5000)).kind is Kind.ERROR
    assert len(words(read(farewell("é" * 5000)))) <= 1024


def test_typing_and_welcome_are_told_apart() -> None:
    assert read(typed(b"\x1d")) == Frame(Kind.DATA, 0, b"\x1d")
    assert read(welcome()).kind is Kind.HELLO


def test_the_socket_of_one_console_is_not_taken_for_that_of_another() -> None:
    assert socket_name("a", "b@c", 1) == "a@b%40c@1.console"
    assert socket_pattern("a/b", "c") == "a%2fb@c@*.console"
