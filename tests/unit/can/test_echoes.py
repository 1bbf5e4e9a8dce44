from __future__ import annotations

from runner.api import ByteString, CanFrame
from runner.modules.can.echoes import Echoes

FRAME = CanFrame(0x123, ByteString("01 02"))


def test_a_frame_comes_back_once() -> None:
    echoes = Echoes()
    echoes.expect(FRAME)

    assert echoes.is_one(FRAME)
    assert not echoes.is_one(FRAME)


def test_the_same_frame_sent_twice_comes_back_twice() -> None:
    echoes = Echoes()
    echoes.expect(FRAME)
    echoes.expect(FRAME)

    assert [echoes.is_one(FRAME) for _ in range(3)] == [True, True, False]


def test_another_frame_is_no_echo() -> None:
    echoes = Echoes()
    echoes.expect(FRAME)

    assert not echoes.is_one(CanFrame(0x123, ByteString("01 03")))
    assert not echoes.is_one(CanFrame(0x123, ByteString("01 02"), extended=True))
