import pytest

from runner.agent.calls import Advanced, Heard, Noted, Said
from runner.agent.context import LONGEST_TEXT, AgentContext
from runner.agent.stop import Stop
from runner.api import Cancelled, TimedOut


def context(heard: list[Heard], stop: Stop | None = None, limit: float = 60.0) -> AgentContext:
    return AgentContext(
        bench="b",
        devices={},
        limit=limit,
        stop=stop or Stop(),
        hear=heard.append,
        save=lambda _name, _data: None,
    )


def test_a_long_text_is_said_in_parts_and_complete() -> None:
    heard: list[Heard] = []
    text = "x" * (LONGEST_TEXT * 2 + 1)
    context(heard).log(text, "warning")
    said = [each for each in heard if isinstance(each, Said)]
    assert [len(each.text) for each in said] == [LONGEST_TEXT, LONGEST_TEXT, 1]
    assert {each.level for each in said} == {"warning"}


def test_an_empty_text_is_said_too() -> None:
    heard: list[Heard] = []
    context(heard).log("")
    assert heard == [Said("")]


def test_progress_may_come_often_and_the_last_word_is_heard() -> None:
    heard: list[Heard] = []
    it = context(heard)
    for done in range(10_001):
        it.progress(done, 10_000)
    it.finish()
    assert len(heard) < 100
    assert heard[-1] == Advanced(10_000, 10_000, "B")


def test_a_number_is_noted() -> None:
    heard: list[Heard] = []
    context(heard).measure("boot", 1.5, "s")
    assert heard == [Noted("boot", 1.5, "s")]


def test_the_time_left_is_never_negative() -> None:
    assert 0 < context([], limit=60).left <= 60
    assert context([], limit=-1).left == 0


@pytest.mark.parametrize(("timed_out", "verdict"), [(False, Cancelled), (True, TimedOut)])
def test_a_stop_ends_sleep_and_check(timed_out: bool, verdict: type[Exception]) -> None:
    stop = Stop()
    it = context([], stop)
    it.check_cancelled()
    assert not it.cancelled
    stop.tell("x", timed_out=timed_out)
    assert it.cancelled
    with pytest.raises(verdict):
        it.check_cancelled()
    with pytest.raises(verdict):
        it.sleep(60)
