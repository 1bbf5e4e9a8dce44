import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.agent.calls import (
    Configure,
    DeviceSpec,
    Ended,
    Noted,
    Release,
    Request,
    Run,
    Said,
    Take,
    WatchSpec,
)
from runner.agent.frames import Frame, FrameReader, Kind, ProtocolError, frame, frames
from runner.agent.messages import LARGEST_MESSAGE, Message, MessageReader, from_json, to_json
from runner.agent.wording import pack, pack_cancel, unpack_cancel, unpack_ended, unpack_heard, unpack_request

JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def messages_of(data: bytes) -> list[Message]:
    reader = MessageReader()
    found = (reader.take(each) for each in FrameReader().feed(data))
    return [each for each in found if each is not None]


@given(JSON)
def test_json_comes_back_exactly(value: object) -> None:
    assert from_json(to_json(value)) == value


@pytest.mark.parametrize(
    "request_",
    [
        Run(
            bench="b",
            path="x:Y",
            arguments={"n": 2**80 + 1, "text": "\ud800\0"},
            devices={"p": None},
            limit=1.5,
        ),
        Configure(bench="b", devices={"d": DeviceSpec("sim", "x:Y", {"a": [1]})}, aliases={"c": "d.console"}),
        Take(
            bench="b",
            holder="me",
            configure=Configure(
                bench="b",
                devices={},
                orders=(Run(bench="b", path="x:Off", arguments={}, devices={}, limit=2),),
            ),
        ),
        Configure(bench="b", devices={}, watch=WatchSpec(("oops", "bug"), {"lost": "sensor lost"})),
        Configure(bench="b", devices={}, watch=None),
        Take(bench="b", holder="me", wait=2.0),
        Release(bench="b"),
    ],
)
def test_a_request_arrives_as_it_was_sent(request_: Request) -> None:
    assert unpack_request(pack(request_)) == request_


def test_what_is_heard_arrives_as_it_was_said() -> None:
    assert unpack_heard(pack(Said("hello", "warning"))) == Said("hello", "warning")
    assert unpack_heard(pack(Noted("volts", 3.3, "V"))) == Noted("volts", 3.3, "V")


def test_long_messages_of_several_streams_are_put_together_though_mixed() -> None:
    sent = {stream: bytes([stream]) * 200_000 for stream in (1, 2, 3)}
    pieces = {
        stream: [*frames(Kind.CALL, stream, data), frame(Kind.END, stream)] for stream, data in sent.items()
    }
    mixed = [stream for stream, each in pieces.items() for _ in each]
    random.Random(1).shuffle(mixed)
    got = messages_of(b"".join(pieces[stream].pop(0) for stream in mixed))
    assert {each.stream: each.payload for each in got} == sent
    assert {each.kind for each in got} == {Kind.CALL}


def test_an_end_with_nothing_before_it_is_a_message_of_its_own() -> None:
    assert messages_of(frame(Kind.END, 9)) == [Message(Kind.END, 9, b"")]


def test_two_kinds_amid_one_message_are_refused() -> None:
    with pytest.raises(ProtocolError, match="ERROR amid the RESULT of stream 4"):
        messages_of(frame(Kind.RESULT, 4, b"1") + frame(Kind.ERROR, 4, b"2"))


def test_unfinished_messages_have_a_bound_over_all_streams() -> None:
    reader = MessageReader()
    piece = bytes(2**20)
    for stream in range(LARGEST_MESSAGE // len(piece)):
        reader.take(Frame(Kind.CALL, stream, piece))
    with pytest.raises(ProtocolError, match="unfinished messages"):
        reader.take(Frame(Kind.CALL, 0, b"one more"))


def test_a_finished_message_frees_its_share_of_the_bound() -> None:
    reader = MessageReader()
    piece = bytes(2**20)
    for _ in range(LARGEST_MESSAGE // len(piece) + 1):
        reader.take(Frame(Kind.CALL, 1, piece))
        assert reader.take(Frame(Kind.END, 1, b"")) is not None


@given(JSON)
def test_any_json_is_a_message_or_a_protocol_error(value: object) -> None:
    for unpack in (unpack_request, unpack_heard, unpack_ended, unpack_cancel):
        with pytest.raises(ProtocolError):
            unpack(to_json(value))


@given(st.sampled_from(["Run", "Configure", "Take", "Said"]), JSON)
def test_a_known_name_with_any_fields_is_a_message_or_a_protocol_error(name: str, fields: object) -> None:
    for unpack in (unpack_request, unpack_heard):
        try:
            unpack(to_json({name: fields}))
        except ProtocolError:
            continue


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_a_protocol_error(data: bytes) -> None:
    for unpack in (unpack_request, unpack_heard, unpack_ended, unpack_cancel):
        with pytest.raises(ProtocolError):
            unpack(data)


def test_deeply_nested_json_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError):
        from_json(b"[" * 100_000)


def test_a_cause_and_an_ending_come_back() -> None:
    assert unpack_cancel(pack_cancel("Ctrl-C", timed_out=False)) == ("Ctrl-C", False)
    ending = Ended(verdict="Failed", kind="assertion", message="no", evidence={"n": 1}, result={"x": [1]})
    assert unpack_ended(to_json(ending)) == ending
