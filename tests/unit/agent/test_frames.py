from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.agent.frames import LARGEST_PAYLOAD, Frame, FrameReader, Kind, ProtocolError, frame, frames

FRAMES = st.builds(Frame, st.sampled_from(Kind), st.integers(0, 2**32 - 1), st.binary(max_size=40))


def encoded(sent: Sequence[Frame]) -> bytes:
    return b"".join(frame(*each) for each in sent)


@given(st.lists(FRAMES, max_size=6))
def test_frames_come_out_the_same_wherever_the_bytes_are_cut(sent: list[Frame]) -> None:
    data = encoded(sent)
    for cut in range(len(data) + 1):
        reader = FrameReader()
        assert reader.feed(data[:cut]) + reader.feed(data[cut:]) == sent
        reader.finish()


@given(st.lists(FRAMES, max_size=6))
def test_frames_come_out_the_same_byte_by_byte(sent: list[Frame]) -> None:
    reader = FrameReader()
    assert [each for byte in encoded(sent) for each in reader.feed(bytes([byte]))] == sent


@given(st.binary(max_size=300), st.integers(0, 300))
def test_garbage_is_frames_or_a_protocol_error(data: bytes, cut: int) -> None:
    reader = FrameReader()
    try:
        got = reader.feed(data[:cut]) + reader.feed(data[cut:])
    except ProtocolError:
        return
    assert data.startswith(encoded(got))


def test_a_login_banner_is_refused_and_quoted() -> None:
    with pytest.raises(ProtocolError, match="expected a frame, got b'Welcome to Debian"):
        FrameReader().feed(b"Welcome to Debian GNU/Linux 12\n")


@pytest.mark.parametrize("header", [b"\0\1\0\0\x03\0\0\0\1", b"\0\0\0\0\x0d\0\0\0\1", b"\0\0\0\0\0\0\0\0\1"])
def test_a_frame_too_long_or_of_no_known_kind_is_refused_at_its_header(header: bytes) -> None:
    with pytest.raises(ProtocolError):
        FrameReader().feed(header)


def test_a_stream_that_ends_within_a_frame_is_told() -> None:
    reader = FrameReader()
    reader.feed(frame(Kind.DATA, 7, b"abc")[:-1])
    with pytest.raises(ProtocolError, match="ended within a frame"):
        reader.finish()


def test_a_payload_that_does_not_fit_is_refused_before_it_is_sent() -> None:
    frame(Kind.DATA, 1, bytes(LARGEST_PAYLOAD))
    with pytest.raises(ValueError, match="do not fit"):
        frame(Kind.DATA, 1, bytes(LARGEST_PAYLOAD + 1))


@pytest.mark.parametrize("size", [0, 1, LARGEST_PAYLOAD, LARGEST_PAYLOAD + 1, 3 * LARGEST_PAYLOAD])
def test_a_long_message_is_cut_into_frames_of_one_kind(size: int) -> None:
    got = FrameReader().feed(b"".join(frames(Kind.RESULT, 5, bytes(size))))
    assert {(each.kind, each.stream) for each in got} == {(Kind.RESULT, 5)}
    assert sum(len(each.payload) for each in got) == size
