"""can_send and can_expect, with the test as the other node."""

import pytest
from support.context import Bus, StepContext

from runner.api import BytePattern, ByteString, Cancelled, CanFrame, Duration, Failed, TimedOut
from runner.modules.can.can_expect import CanExpect
from runner.modules.can.can_send import CanSend

ANSWER = CanFrame(0x456, ByteString("41 02"))


def expect(bus: Bus, **arguments: object) -> CanExpect:
    return CanExpect(bus=bus, **{"id": 0x456, "within": Duration(5), **arguments})


@pytest.mark.parametrize(
    ("identifier", "said", "extended"),
    [(0x7FF, None, False), (0x800, None, True), (0x12, True, True), (0x800, False, False)],
)
def test_identifiers_above_7ff_are_extended_unless_said(
    identifier: int, said: bool | None, extended: bool
) -> None:
    bus = Bus()

    CanSend(id=identifier, extended=said, bus=bus).run(StepContext())

    assert bus.sent[0].extended is extended


def test_sending_passes_every_property_on_and_returns_the_place_in_the_record() -> None:
    bus = Bus()
    bus.receive(0x1)

    sent = CanSend(id=0x123, data=ByteString("01 02"), fd=True, bitrate_switch=True, bus=bus).run(
        StepContext()
    )

    assert sent.number == 2
    assert sent.frame == CanFrame(0x123, ByteString("01 02"), fd=True, bitrate_switch=True)


def test_the_answer_that_came_before_anybody_waited_is_found() -> None:
    bus, context = Bus({0x123: [ANSWER]}), StepContext()
    CanSend(id=0x123, bus=bus).run(context)

    received = expect(bus, data=BytePattern("?? 02")).run(context)

    assert received.data == b"\x41\x02"
    assert [frame.id for frame in received.frames] == [0x456]


def test_a_frame_from_before_the_latest_send_is_not_its_answer() -> None:
    bus, context = Bus(), StepContext()
    bus.receive(0x456, "41 02")
    CanSend(id=0x123, bus=bus).run(context)

    with pytest.raises(TimedOut):
        expect(bus).run(context)


def test_two_steps_may_look_at_the_answers_of_one_send_in_any_order() -> None:
    bus, context = Bus({0x123: [ANSWER, CanFrame(0x457, ByteString("01"))]}), StepContext()
    CanSend(id=0x123, bus=bus).run(context)

    assert expect(bus, id=0x457).run(context).data == b"\x01"
    assert expect(bus).run(context).data == b"\x41\x02"


@pytest.mark.parametrize(("since", "number"), [("send", 1), ("start", 1), (0, 1), (1, 3)])
def test_since_says_where_to_begin(since: object, number: int) -> None:
    bus = Bus()
    bus.receive(0x456, "01")
    bus.receive(0x111)
    bus.receive(0x456, "02")

    assert expect(bus, since=since).run(StepContext()).frames[0].number == number


def test_since_now_sees_nothing_of_the_past() -> None:
    bus = Bus()
    bus.receive(0x456)

    with pytest.raises(TimedOut):
        expect(bus, since="now").run(StepContext())


def test_a_count_wants_as_many_frames() -> None:
    bus = Bus()
    for value in ("01", "02", "03"):
        bus.receive(0x456, value)

    received = expect(bus, count=3).run(StepContext())

    assert [frame.data for frame in received.frames] == [b"\x01", b"\x02", b"\x03"]
    assert received.data == b"\x03"


def test_too_few_frames_say_how_many_there_were() -> None:
    bus = Bus()
    bus.receive(0x456, "01")

    with pytest.raises(TimedOut, match="1 of 2 frames 0x456 within 5s"):
        expect(bus, count=2).run(StepContext())


def test_a_missing_frame_shows_the_nearest_and_the_others() -> None:
    bus = Bus()
    bus.receive(0x456, "40 02")
    bus.receive(0x111, "FF")

    with pytest.raises(TimedOut) as caught:
        expect(bus, data=BytePattern("41 ??")).run(StepContext())

    assert caught.value.message == "no frame 0x456 [41 ??] within 5s, but 0x456 [40 02]"
    assert caught.value.evidence["others"] == ["0x456 [40 02]", "0x111 [FF]"]


def test_silence_is_called_silence() -> None:
    with pytest.raises(TimedOut, match="no frame 0x456 within 5s, and no other"):
        expect(Bus()).run(StepContext())


def test_a_mask_leaves_bits_out() -> None:
    bus = Bus()
    bus.receive(0x45F, "01")

    assert expect(bus, mask=0x7F0).run(StepContext()).frames[0].id == 0x45F


def test_an_extended_frame_is_not_taken_for_a_standard_one() -> None:
    bus = Bus()
    bus.receive(0x456, extended=True)

    with pytest.raises(TimedOut, match=r"but 0x456 \[\] extended"):
        expect(bus).run(StepContext())
    assert expect(bus, extended=True).run(StepContext()).frames[0].extended


def test_an_error_frame_matches_nothing() -> None:
    bus = Bus()
    bus.receive(0x456, error=True)

    with pytest.raises(TimedOut):
        expect(bus).run(StepContext())


def test_a_frame_that_comes_too_late_does_not_count() -> None:
    bus = Bus()
    bus.receive(0x456, time=1e12)

    with pytest.raises(TimedOut):
        expect(bus).run(StepContext())


def test_absence_passes_when_nothing_comes() -> None:
    bus = Bus()
    bus.receive(0x111)

    received = expect(bus, absent=True).run(StepContext())

    assert (received.frames, received.data, received.elapsed) == ((), b"", 5)


def test_absence_fails_at_once_and_shows_the_frame() -> None:
    bus = Bus()
    bus.receive(0x456, "41 02")

    with pytest.raises(Failed, match=r"0x456 \[41 02\] came, which must not come within 5s") as caught:
        expect(bus, absent=True).run(StepContext())
    assert not isinstance(caught.value, TimedOut)


def test_a_cancel_ends_the_wait() -> None:
    context = StepContext()
    context.cancel_at_check = 0

    with pytest.raises(Cancelled):
        expect(Bus()).run(context)
