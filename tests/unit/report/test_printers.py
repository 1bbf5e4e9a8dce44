"""What is printed for tools: JSON lines and annotations; and the stream under all of it."""

import io
import json
import os
from pathlib import Path

import pytest
from support.events import STARTED, bad, ended, step_ended

from runner.report.github import Github
from runner.report.json_lines import JsonLines
from runner.report.output import Output
from runner.result import BenchLost, Event, Logged, Outcome, PlayFinished, Problem

PROBLEM = Problem(message="50% done:\nno, not", at="recipes/q.yaml:4:7")


def annotations(*events: Event) -> list[str]:
    stream = io.StringIO()
    github = Github(stream)
    for event in events:
        github.hear(event)
    github.close()
    return stream.getvalue().splitlines()


def test_each_event_is_a_line_of_json() -> None:
    stream = io.StringIO()
    printer = JsonLines(stream)
    printer.hear(STARTED)
    printer.hear(Logged(t=0, text="a\nb \ud800"))
    printer.close()

    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["run_started", "logged"]


def test_a_bad_case_is_an_annotation_at_the_step_that_failed() -> None:
    assert annotations(
        step_ended(Outcome.FAILED, problem=PROBLEM), ended(Outcome.FAILED, problem=PROBLEM)
    ) == ["::error file=recipes/q.yaml,line=4,col=7,title=q%3A%3At@b::50%25 done:%0Ano, not"]


def test_a_case_without_a_place_is_annotated_where_it_is_written() -> None:
    assert annotations(ended(Outcome.XPASSED, reason="why")) == [
        "::error file=q.yaml,line=3,col=5,title=q%3A%3At@b::why"
    ]


def test_good_cases_say_nothing_and_a_flaky_one_warns() -> None:
    flaky = ended(Outcome.FLAKY, reason="passed on attempt 2", attempts=(bad(Problem(message="no prompt")),))

    assert annotations(ended(), ended(Outcome.SKIPPED), ended(Outcome.XFAILED), flaky) == [
        "::warning file=q.yaml,line=3,col=5,title=q%3A%3At@b::passed on attempt 2: no prompt"
    ]


def test_one_cause_that_blocks_many_cases_is_annotated_once() -> None:
    lost = BenchLost(t=0, play="p", bench="b", problem=PROBLEM)
    blocked = [ended(Outcome.BLOCKED, str(number), problem=PROBLEM) for number in range(5)]

    assert len(annotations(lost, *blocked)) == 1


def test_clean_up_and_warnings_are_annotated() -> None:
    finished = PlayFinished(t=0, play="p", problems=(Problem(message="stuck"),))

    assert annotations(finished, Logged(t=0, text="old", level="warning"), Logged(t=0, text="x")) == [
        "::error title=clean-up of p::stuck",
        "::warning title=runner::old",
    ]


def test_letters_that_a_stream_lacks_are_spelt_out(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w", encoding="ascii") as stream:
        Output(stream).say("… ü")

    assert (tmp_path / "out").read_bytes() == b"\\u2026 \\xfc\n"


def test_a_reader_that_has_gone_ends_nothing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        output = Output(stream)
        for _ in range(3):
            output.say("x" * 100_000)


@pytest.mark.parametrize("known", ["isatty", "fileno", "encoding"])
def test_the_stream_is_still_known_for_what_it_is(tmp_path: Path, known: str) -> None:
    with (tmp_path / "out").open("w", encoding="latin-1") as stream:
        expected, found = getattr(stream, known), getattr(Output(stream), known)

        assert (found() if callable(found) else found) == (expected() if callable(expected) else expected)
