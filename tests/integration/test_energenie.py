"""The EnerGenie driver and an emulated strip that lets in one at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.web_plugs import Reply, Strip, served

from runner.api import Duration, LabError, Secret, Unreachable
from runner.modules.power.energenie import Energenie

LOGIN = ("POST", "/login.html", b"pw=1")
LOGOUT = ("GET", "/login.html", b"")


@pytest.fixture
def strip() -> Iterator[Strip]:
    it = Strip()
    with served(it):
        yield it


def driven(strip: Strip, **options: object) -> Energenie:
    given = {"host": strip.url.removeprefix("http://"), "socket": 3, "limit": Duration("60s")}
    driver = Energenie(**{**given, **options})
    driver.open()
    return driver


def test_each_call_logs_in_and_out_and_sends_exactly_the_forms_of_the_pages(strip: Strip) -> None:
    power = driven(strip)
    power.on()
    power.off()

    assert strip.said == [LOGIN, ("POST", "/", b"cte3=1"), LOGOUT, LOGIN, ("POST", "/", b"cte3=0"), LOGOUT]
    assert {request.headers["Content-Type"] for request in strip.requests if request.body} == {
        "application/x-www-form-urlencoded"
    }
    power.close()


def test_the_state_is_that_of_the_socket(strip: Strip) -> None:
    power = driven(strip)
    strip.relays = [True, True, False, True]
    assert power.state() == "off"
    power.on()

    assert power.state() == "on"
    assert strip.relays == [True] * 4
    assert power.label() == f"socket 3 of {strip.url}"
    power.close()


def test_a_password_is_sent_as_a_form_sends_it(strip: Strip) -> None:
    strip.password = "a&b=c d"
    power = driven(strip, password=Secret("a&b=c d"))
    power.on()

    assert strip.relays[2]
    power.close()


def test_a_wrong_password_is_recognised_by_the_page(strip: Strip) -> None:
    power = driven(strip, password=Secret("guessed"))

    with pytest.raises(LabError, match="shows its log-in page again: the password is wrong") as caught:
        power.on()
    assert "guessed" not in f"{caught.value} {caught.value.evidence}"
    assert [each[:2] for each in strip.said] == [("POST", "/login.html")]
    power.close()


def test_somebody_who_is_logged_in_is_waited_for(strip: Strip) -> None:
    strip.others = 2
    power = driven(strip)
    power.on()

    assert [each[:2] for each in strip.said] == [LOGIN[:2]] * 3 + [("POST", "/"), LOGOUT[:2]]
    power.close()


def test_somebody_who_stays_logged_in_is_named(strip: Strip) -> None:
    strip.others = -1
    power = driven(strip)
    for limit in ("300ms", "3s", "30s"):  # a slow machine needs more for a single answer
        power.limit = Duration(limit)
        with pytest.raises(Unreachable) as caught:
            power.on()
        if f"somebody else has been logged in for {limit}" in str(caught.value):
            break

    assert "somebody else" in str(caught.value)
    power.close()


def test_a_session_that_somebody_else_has_ended_is_begun_again(strip: Strip) -> None:
    power = driven(strip)
    strip.lose_after = 1
    power.on()

    assert strip.relays[2]
    assert strip.said.count(("POST", "/", b"cte3=1")) == 2
    power.close()


def test_a_session_that_ends_again_and_again_is_no_success(strip: Strip) -> None:
    power = driven(strip)
    strip.lose_after = -1
    for limit in ("300ms", "3s", "30s"):  # a slow machine needs more for a single answer
        power.limit = Duration(limit)
        with pytest.raises(LabError) as caught:
            power.on()
        if "logs us out before anything is done" in str(caught.value):
            break

    assert f"logs us out before anything is done, for {limit}" in str(caught.value)
    assert not strip.inside
    power.close()


def test_a_page_without_states_is_no_state(strip: Strip) -> None:
    power = driven(strip)
    strip.answers = Reply(text='<a href="login.html">Log Out</a>', kind="text/html")

    with pytest.raises(LabError, match="tells no states of its sockets"):
        power.state()
    assert strip.said[-1] == LOGOUT
    power.close()


def test_an_error_of_the_strip_is_an_error(strip: Strip) -> None:
    power = driven(strip)
    strip.answers = Reply(503, "busy", "text/plain")

    with pytest.raises(LabError, match="/login.html answers 503 Service Unavailable, expected 2xx: 'busy'"):
        power.off()
    power.close()


def test_a_strip_that_is_silent_or_gone_is_an_error(strip: Strip) -> None:
    strip.silent = True
    power = driven(strip, limit=Duration("200ms"))
    with pytest.raises(Unreachable, match="/login.html did not answer within 200ms"):
        power.on()
    power.close()

    power = driven(strip, host="127.0.0.1:1")
    with pytest.raises(Unreachable, match="http://127.0.0.1:1 cannot be reached: Connection refused"):
        power.on()
    power.close()


def test_without_logging_out_the_session_stays(strip: Strip) -> None:
    power = driven(strip, logout=False)
    power.on()
    assert strip.inside
    power.off()

    assert not strip.relays[2]
    power.close()
