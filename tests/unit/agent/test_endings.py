import pytest

from runner.agent.endings import ended, tellable
from runner.agent.stop import Stop
from runner.api import Cancelled, Failed, LabError, Result, TimedOut, Verdict
from runner.connect.ending import exception_of
from runner.connect.link import Crash


class Panicked(Failed):
    """A verdict that only its module knows."""


class Seen(Result):
    output: str


def stopped(*, timed_out: bool) -> Stop:
    stop = Stop()
    stop.tell("time is over: the step's timeout of 2s" if timed_out else "Ctrl-C", timed_out=timed_out)
    return stop


def there_and_back(error: BaseException, stop: Stop | None = None) -> Verdict | Crash:
    return exception_of(ended(error, stop or Stop()))


def test_a_verdict_comes_back_with_all_it_says() -> None:
    back = there_and_back(
        LabError("no answer", evidence={"host": "x", 1: b"\0"}, hint="plug it in", result=Seen(output="y"))
    )
    assert type(back) is LabError
    assert (back.message, back.hint, back.kind) == ("no answer", "plug it in", "device_error")
    assert back.evidence == {"host": "x", "1": {"$bytes": "AA=="}}
    assert back.result == {"output": "y"}


def test_a_verdict_of_the_module_comes_back_as_the_nearest_that_is_known() -> None:
    assert type(there_and_back(Panicked("panic"))) is Failed


def test_anything_else_is_a_crash_with_its_traceback() -> None:
    try:
        raise OSError("gone")
    except OSError as error:
        back = there_and_back(error)
    assert isinstance(back, Crash)
    assert back.message == "OSError: gone"
    assert "raise OSError" in back.traceback


def test_evidence_that_cannot_travel_is_told_by_its_repr() -> None:
    assert tellable({1, 2}) == "{1, 2}"
    assert tellable({"n": 1}) == {"n": 1}


def test_a_cancel_by_a_limit_is_a_time_out_that_names_it() -> None:
    back = there_and_back(Cancelled("whatever"), stopped(timed_out=True))
    assert type(back) is TimedOut
    assert (back.message, back.kind) == ("time is over: the step's timeout of 2s", "timeout")


def test_a_cancel_by_a_person_stays_one() -> None:
    back = there_and_back(Cancelled("Ctrl-C"), stopped(timed_out=False))
    assert (type(back), back.message) == (Cancelled, "Ctrl-C")


def test_a_better_message_than_the_limits_is_kept_with_the_limit_as_evidence() -> None:
    back = there_and_back(TimedOut("no 'login:'", evidence={"tail": "x"}), stopped(timed_out=True))
    assert isinstance(back, TimedOut)
    assert back.message == "no 'login:'"
    assert back.evidence == {"tail": "x", "limit": "time is over: the step's timeout of 2s"}


@pytest.mark.parametrize(("timed_out", "verdict"), [(True, TimedOut), (False, Cancelled)])
def test_what_breaks_while_stopping_is_told_beside_the_cause(timed_out: bool, verdict: type) -> None:
    back = there_and_back(OSError("closed"), stopped(timed_out=timed_out))
    assert type(back) is verdict
    assert back.evidence == {"while_stopping": "OSError: closed"}


def test_a_library_that_is_not_there_is_the_labs_fault_with_its_package() -> None:
    told = ended(ModuleNotFoundError("No module named 'gpiod'", name="gpiod"), Stop())

    assert (told.verdict, told.message) == ("LabError", "no Python module 'gpiod' beside the hardware")
    assert "apt install python3-libgpiod" in told.hint
    assert told.traceback.endswith("ModuleNotFoundError: No module named 'gpiod'\n")
