"""What is left of an agent that was killed."""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from runner.agent.calls import Configure, Release, Run, Take
from runner.agent.estate import Estate
from runner.agent.heir import not_released
from runner.agent.locks import Locks
from runner.agent.stop import Stop
from runner.agent.wording import pack
from runner.api import LabError

OFF = Run("b", "x:Off", {}, {}, 2.5)


@pytest.fixture
def estate() -> Iterator[Estate]:
    with closing(Estate()) as it:
        yield it


def test_a_lock_that_was_left_holds_when_its_holder_is_gone_and_not_when_it_was_given_back(
    tmp_path: Path, estate: Estate
) -> None:
    first, second = Locks(lambda: tmp_path), Locks(lambda: tmp_path)
    first.keeper = estate
    ask = Take(bench="b", holder="run 1")
    first.take(Take(bench="another", holder="run 1"), print, Stop())
    first.take(ask, print, Stop())
    first.drop("b")
    second.take(ask, print, Stop())
    second.drop("b")
    first.take(ask, print, Stop())
    os.close(first._held.pop("b"))  # as the kernel does it when the agent is killed

    with pytest.raises(LabError, match="is held by run 1"):
        second.take(Take(bench="b", holder="run 2"), print, Stop())
    estate.forget_locks()
    second.take(Take(bench="b", holder="run 2"), print, Stop())
    for each in (first, second):
        each.drop_all()


def test_what_was_pushed_and_ordered_is_read_back_but_not_what_was_cut_off(estate: Estate) -> None:
    estate.keep_code(b"one")
    estate.keep_code(b"two\n" * 100_000)
    assert estate.settled
    estate.keep_orders(pack(Configure("b", {}, orders=(OFF,))))
    os.write(estate._orders, b'{"Release":{"be')

    assert estate.code() == [b"one", b"two\n" * 100_000]
    assert not_released(estate.orders()) == [Configure("b", {}, orders=(OFF,))]
    estate.settle()
    assert estate.settled


def test_a_bench_that_was_released_has_no_last_orders_unless_it_was_configured_again() -> None:
    here, there = Configure("b", {}, orders=(OFF,)), Configure("c", {}, orders=(OFF,))
    orders = [pack(here), pack(there), pack(Release("b"))]
    assert not_released(orders) == [there]
    assert not_released([*orders, pack(here)]) == [there, here]
