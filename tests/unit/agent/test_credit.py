import threading

import pytest

from runner.agent.credit import Credit, Debt, amount_of
from runner.agent.frames import ProtocolError


def test_more_than_the_window_waits_for_a_grant() -> None:
    credit, sent = Credit(window=10), []
    assert credit.spend(10)

    def send() -> None:
        sent.append(credit.spend(1))

    sender = threading.Thread(target=send)
    sender.start()
    assert sent == []
    credit.grant(5)
    sender.join(60)
    assert sent == [True]


def test_closing_lets_nobody_wait_and_nothing_pass() -> None:
    credit = Credit(window=0)
    credit.close()
    assert credit.spend(1) is False


def test_what_is_read_is_granted_back_in_quarters_of_the_window() -> None:
    debt = Debt(window=400)
    assert debt.read(99) == b""
    assert amount_of(debt.read(1)) == 100
    assert debt.read(50) == b""


def test_a_credit_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ProtocolError):
        amount_of(b"\0\0")
