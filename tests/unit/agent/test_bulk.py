import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.agent import bulk
from runner.agent.frames import LARGEST_PAYLOAD, ProtocolError


def unpacked(payloads: list[bytes]) -> bytes:
    unpacker = bulk.Unpacker()
    return b"".join(piece for payload in payloads for piece in unpacker.pieces(payload))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=500), st.binary(max_size=9).map(lambda some: some * 9000))))
def test_what_is_packed_comes_out_as_it_was(blocks: list[bytes]) -> None:
    payloads = [payload for block in blocks for payload in bulk.pack(block)]

    assert unpacked(payloads) == b"".join(blocks)
    assert all(len(payload) <= LARGEST_PAYLOAD for payload in payloads)


def test_what_unpacks_to_much_comes_in_pieces_of_a_mebibyte_at_most() -> None:
    packed = bulk.PACKED + zlib.compress(bytes(9 * 2**20), 9)

    assert max(map(len, bulk.Unpacker().pieces(packed))) == 2**20


@pytest.mark.parametrize("payload", [b"", b"x123", b"Znot packed"])
def test_garbage_is_refused(payload: bytes) -> None:
    with pytest.raises(ProtocolError):
        list(bulk.Unpacker().pieces(payload))
    with pytest.raises(ProtocolError):
        bulk.place(payload)
