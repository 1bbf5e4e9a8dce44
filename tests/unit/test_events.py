"""Events as JSON and back."""

import json
import math
import typing
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.events import STARTED, bad, begun, ended, step_begun, step_ended

from runner.errors import InputError
from runner.events import from_json, line, read, to_json
from runner.result import (
    ArtifactSaved,
    BenchLost,
    BenchReleased,
    BenchTaken,
    ConsoleSlice,
    DeviceOpened,
    Event,
    Logged,
    Measured,
    Outcome,
    PlayFinished,
    PlayStarted,
    Problem,
    Progress,
    RunFinished,
)

PROBLEM = Problem(
    message="m", kind="timeout", blame="board", evidence={"a": [1, 2]}, console="c", traceback="t"
)
SLICE = ConsoleSlice(device="uart", path="console/b.uart.raw", start=0, end=0)
MEASURED = Measured(name="boot", value=0.0, unit="s", maximum=40.0, verdict="fail")
EVERY: list[Event] = [
    STARTED,
    PlayStarted(t=0, play="p", recipe="q", benches=("b", "c"), cases=0),
    BenchTaken(t=0, play="p", bench="b", host="h", devices={"a": "sim"}, simulated=("a",), waited=2.5),
    BenchLost(t=0, play="p", bench="b", problem=PROBLEM),
    BenchReleased(t=0, play="p", bench="b", problem=PROBLEM),
    DeviceOpened(t=0, bench="b", device="a", driver="sim", seconds=0.0),
    begun(matrix={"rate": 10}, tags=("x",), meta={"owner": "me"}),
    step_begun(case=""),
    step_ended(Outcome.FAILED, problem=PROBLEM, ignored=True, result={"x": None}, measures=(MEASURED,)),
    step_ended(result=[]),
    step_ended(result=""),
    Progress(t=0, step="s", bench="b", case="", done=0, total=None, unit=""),
    Logged(t=0, text="", level="warning"),
    ArtifactSaved(t=0, path="artifacts/b/x"),
    ended(
        Outcome.FLAKY,
        attempts=(bad(PROBLEM), bad(PROBLEM, 2, console=(SLICE,), recovery=("power_cycle: passed",))),
        console=(SLICE,),
        simulated=True,
    ),
    ended(Outcome.ERROR, problem=Problem(message="")),
    PlayFinished(t=0, play="p", problems=(PROBLEM,)),
    RunFinished(t=0, seconds=0.0, exit_code=0, counts={}, problem=PROBLEM),
]


def test_there_is_an_example_of_every_kind_here() -> None:
    assert {type(event) for event in EVERY} == set(typing.get_args(Event))


@pytest.mark.parametrize("event", EVERY, ids=lambda event: type(event).__name__)
def test_an_event_comes_back_as_it_was(event: Event) -> None:
    assert from_json(json.loads(line(event))) == event
    assert json.loads(line(event)) == to_json(event)


def test_what_is_empty_is_left_out() -> None:
    assert to_json(Logged(t=1.5, text="x")) == {"event": "logged", "t": 1.5, "text": "x", "level": "info"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON, st.text(), st.floats(allow_nan=False, allow_infinity=False))
def test_any_result_comes_back_as_it_was(result: Any, text: str, number: float) -> None:
    measured = Measured(name=text, value=number)
    event = step_ended(result=_finite(result), reason=text, measures=(measured,))

    assert from_json(json.loads(line(event))) == event


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return 0.0
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return {key: _finite(item) for key, item in value.items()} if isinstance(value, dict) else value


@given(st.characters(codec=None))
def test_every_character_survives_also_half_of_a_pair(character: str) -> None:
    event = Logged(t=0, text=character + "x\\")

    assert line(event).count(b"\n") == 1
    assert from_json(json.loads(line(event))) == event


def test_a_number_that_is_none_is_no_reason_for_a_line_that_is_no_json() -> None:
    event = step_ended(
        measures=(Measured(name="m", value=math.nan, maximum=math.inf),), result={"x": -math.inf}
    )
    found = json.loads(line(event), parse_constant=pytest.fail)
    again = from_json(found)

    assert math.isnan(again.measures[0].value)  # type: ignore[union-attr]
    assert again.measures[0].maximum == math.inf  # type: ignore[union-attr]
    assert found["result"] == {"x": "-inf"}


def test_what_json_has_no_form_for_becomes_text() -> None:
    evidence = MappingProxyType(
        {"tail": b"\xffx", "set": {"b", "a"}, "where": Path("/x"), "keys": {(1, 2): 1, None: 2}}
    )
    found = json.loads(line(ended(Outcome.FAILED, problem=Problem(message="m", evidence=evidence))))

    assert found["problem"]["evidence"] == {
        "tail": "\\xffx",
        "set": ["a", "b"],
        "where": "/x",
        "keys": {"(1, 2)": 1, "null": 2},
    }


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"event": "nonsense"},
        {"event": "logged"},
        {"event": "logged", "t": 0, "text": "x", "more": 1},
        {**to_json(ended()), "outcome": "fine"},
        {**to_json(ended()), "outcome": 5},
    ],
)
def test_what_is_no_event_is_refused(found: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"no event|is not what it was"):
        from_json(found)


def test_a_file_cut_within_a_letter_is_read_up_to_there(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(line(STARTED) + line(Logged(t=1, text="ü"))[:-4])

    assert list(read(file)) == [STARTED]


def test_a_line_that_is_no_event_is_named(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(line(STARTED) + b"[]\n")

    with pytest.raises(InputError) as caught:
        list(read(file))
    assert str(caught.value.faults[0].at) == f"{file}:2:1"
