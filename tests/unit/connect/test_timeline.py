import pytest

from runner.api import LabError
from runner.connect.recorded import Asked, Entry, Listened, Received, Typing
from runner.connect.timeline import Timeline, TimelineSource
from runner.console.stream import Chunk

SECOND = 1_000_000_000


def listened(at: float = 0.0) -> Listened:
    return Listened(at=round(at * SECOND), device="c", settings={}, seed=1)


def received(at: float, data: bytes, device: str = "c") -> Received:
    return Received(at=round(at * SECOND), device=device, wall_ns=7, data=data)


def typed(at: float, data: bytes) -> Typing:
    return Typing(at=round(at * SECOND), device="c", data=data)


def asked(at: float, method: str, answer: object = None) -> Asked:
    return Asked(
        at=round(at * SECOND),
        device="p",
        method=method,
        ended_ns=round((at + 0.5) * SECOND),
        answer=answer,
        error=None,
    )


def playing(*entries: Entry) -> tuple[Timeline, list[Chunk]]:
    timeline = Timeline((listened(), *entries), 0)
    heard: list[Chunk] = []
    timeline.listen_again()
    TimelineSource(timeline, "c").start(lambda chunk: heard.append(chunk) if chunk.data else None)
    return timeline, heard


def test_a_wait_ends_with_the_next_bytes_at_their_time() -> None:
    timeline, heard = playing(received(0.2, b"a"), received(3.0, b"b"))
    timeline.pass_until(10.0)

    assert [(chunk.data, chunk.monotonic_ns, chunk.index) for chunk in heard] == [(b"a", SECOND // 5, 0)]
    assert timeline.now == 0.2


def test_a_wait_behind_the_end_of_the_recording_lets_the_time_pass() -> None:
    timeline, _heard = playing()
    while timeline.now < 60.0:
        timeline.pass_until(60.0)

    assert timeline.now == 60.0


def test_time_passes_however_little_of_a_wait_is_left() -> None:
    began = 19_520_275_117_256
    timeline = Timeline((), began)
    timeline.pass_until(timeline.now)

    assert timeline.now_ns > began


def test_what_was_said_in_answer_to_something_typed_waits_until_it_is_typed_again() -> None:
    timeline, heard = playing(typed(1.0, b"ls\n"), received(1.1, b"file"))
    timeline.pass_until(5.0)
    while timeline.now < 5.0:
        timeline.pass_until(5.0)
    assert heard == []

    timeline.typed("c", b"ls\n")
    timeline.pass_until(6.0)
    assert [chunk.data for chunk in heard] == [b"file"]


def test_typing_hears_what_came_before_it_and_takes_its_time() -> None:
    timeline, heard = playing(received(1.0, b"x"), typed(2.0, b"ls\n"))
    timeline.typed("c", b"ls\n")

    assert [chunk.data for chunk in heard] == [b"x"]
    assert timeline.now == 2.0


def test_something_else_typed_is_told_with_both_and_nothing_is_heard_after_it() -> None:
    timeline, heard = playing(received(0.5, b"x"), typed(2.0, b"ls /home\n"))
    with pytest.raises(LabError, match=r"b'uname -a\\n' would be typed .* b'ls /home\\n' was typed"):
        timeline.typed("c", b"uname -a\n")
    with pytest.raises(LabError, match="leaves the recording here: b'uname"):
        timeline.typed("c", b"ls /home\n")

    assert heard == []


def test_typing_behind_the_end_says_that_nothing_more_was_done() -> None:
    timeline, _heard = playing()
    with pytest.raises(LabError, match="nothing more was done before the recording ended"):
        timeline.typed("c", b"uname -a\n")


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_key_pressed_again_and_again_may_be_pressed_once_more_or_less(times: int) -> None:
    timeline, _heard = playing(typed(1.0, b" "), typed(1.1, b" "), typed(1.2, b"version\n"))
    for _ in range(times):
        timeline.typed("c", b" ")
    timeline.typed("c", b"version\n")

    assert timeline.now == 1.2


def test_a_switch_answers_as_it_did_and_takes_as_long() -> None:
    timeline, heard = playing(asked(1.0, "on", None), received(1.2, b"x"), asked(2.0, "state", "on"))

    assert timeline.ask("p", "on").answer is None
    assert (timeline.now, [chunk.data for chunk in heard]) == (1.5, [b"x"])
    assert [timeline.ask("p", "state").answer for _ in range(2)] == ["on", "on"]


def test_a_switch_that_was_not_switched_is_told() -> None:
    timeline, _heard = playing(typed(1.0, b"ls\n"))
    with pytest.raises(LabError, match="'p' would be asked for 'off', and b'ls"):
        timeline.ask("p", "off")


def test_a_limit_ends_a_wait() -> None:
    timeline, _heard = playing(received(0.2, b"a"))
    timeline.limit = lambda: 0.125
    timeline.pass_until(5.0)

    assert timeline.now == 0.125
