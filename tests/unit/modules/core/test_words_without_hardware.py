"""assert, set, fail, skip, log and wait."""

import pytest
from support.context import StepContext

from runner.api import Cancelled, Duration, Failed, Skipped
from runner.api.judged import Judged
from runner.modules.core.assert_ import Assert
from runner.modules.core.fail import Fail
from runner.modules.core.log import Log
from runner.modules.core.set_ import Set
from runner.modules.core.skip import Skip
from runner.modules.core.wait import Wait

TRUE = Judged("x > 0", holds=True, operands={"x": 1})
FALSE = Judged("x == 2", holds=False, operands={"x": 1})
ALSO_FALSE = Judged("y is defined", holds=False)


def test_conditions_that_hold_pass_in_silence() -> None:
    context = StepContext()

    Assert(that=[TRUE]).run(context)

    assert context.said == []


def test_every_condition_that_does_not_hold_is_told_with_its_values() -> None:
    with pytest.raises(Failed) as caught:
        Assert(that=[TRUE, FALSE, ALSO_FALSE]).run(StepContext())

    assert caught.value.message == "expected x == 2, but x is 1; expected y is defined"
    assert caught.value.evidence == {"x == 2": {"x": 1}}


def test_a_message_of_the_author_comes_first() -> None:
    with pytest.raises(Failed, match="too slow: expected x == 2, but x is 1"):
        Assert(that=[FALSE], message="too slow").run(StepContext())


def test_fail_fails_with_its_message() -> None:
    with pytest.raises(Failed, match=r"^wrong revision$"):
        Fail(message="wrong revision").run(StepContext())


def test_skip_skips_with_its_reason() -> None:
    with pytest.raises(Skipped, match=r"^no CAN$"):
        Skip(reason="no CAN").run(StepContext())


def test_set_leaves_its_values_to_the_engine() -> None:
    module = Set(values={"a": 1})

    module.run(StepContext())

    assert getattr(module, Set.defines) == {"a": 1}


@pytest.mark.parametrize(
    ("text", "said"), [("1.10", "1.10"), ({"a": [1]}, '{\n  "a": [\n    1\n  ]\n}'), ([], "[]")]
)
def test_log_says_text_as_it_is_and_all_else_as_json(text: object, said: str) -> None:
    context = StepContext()

    Log(text=text, level="warning").run(context)

    assert context.said == [("warning", said)]


def test_wait_waits_on_the_context() -> None:
    context = StepContext()

    Wait(time=Duration("90s")).run(context)

    assert context.slept == [90]


def test_a_cancel_ends_the_wait() -> None:
    context = StepContext()
    context.cancel_at_check = 0

    with pytest.raises(Cancelled):
        Wait(time=Duration("1h")).run(context)
