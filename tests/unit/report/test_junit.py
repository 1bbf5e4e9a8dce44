"""JUnit files: what CI servers read."""

import os
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from lxml import etree
from support.events import STARTED, bad, begun, ended, step_ended
from support.peers import ROOT

from runner.errors import InputError
from runner.fold import MOST
from runner.report.junit import JUnit
from runner.result import ArtifactSaved, BenchTaken, ConsoleSlice, Event, Measured, Outcome, Problem

SCHEMAS = ROOT / "tests" / "support" / "schemas"
EVERY = [
    (outcome, blame) for outcome in Outcome for blame in ("board", "lab", "recipe", "crash", "cancelled")
]


def written(folder: Path, *events: Event) -> ET.Element:
    report = JUnit(folder)
    report.hear(STARTED)
    for event in events:
        report.hear(event)
    report.close()
    return ET.parse(folder / "junit.xml").getroot()


def valid(folder: Path) -> None:
    document = etree.parse(folder / "junit.xml")
    etree.XMLSchema(etree.parse(SCHEMAS / "jenkins.xsd")).assertValid(document)
    surefire = etree.XMLSchema(etree.parse(SCHEMAS / "surefire.xsd"))
    for suite in document.getroot():
        surefire.assertValid(suite)


@pytest.mark.parametrize(("outcome", "blame"), EVERY)
def test_every_outcome_is_valid_for_jenkins_and_surefire(
    tmp_path: Path, outcome: Outcome, blame: str
) -> None:
    problem = Problem(message="m", blame=blame, kind="timeout", evidence={"a": 1})  # type: ignore[arg-type]
    written(tmp_path, ended(outcome, problem=problem, reason="why", attempts=(bad(problem),)))

    valid(tmp_path)


@pytest.mark.parametrize(
    ("outcome", "blame", "tag", "kind"),
    [
        (Outcome.FAILED, "board", "failure", "timeout"),
        (Outcome.XPASSED, "board", "failure", "UnexpectedPass"),
        (Outcome.ERROR, "lab", "error", "LabError"),
        (Outcome.ERROR, "recipe", "error", "RecipeError"),
        (Outcome.ERROR, "crash", "error", "Crash"),
        (Outcome.BLOCKED, "lab", "error", "Blocked"),
        (Outcome.CANCELLED, "cancelled", "error", "Cancelled"),
        (Outcome.SKIPPED, "", "skipped", ""),
        (Outcome.XFAILED, "", "skipped", ""),
    ],
)
def test_the_element_says_whose_fault_it_is(
    tmp_path: Path, outcome: Outcome, blame: str, tag: str, kind: str
) -> None:
    problem = Problem(message="m", blame=blame, kind="timeout")  # type: ignore[arg-type]
    found = written(tmp_path, ended(outcome, problem=problem, reason="why")).find(f".//{tag}")

    assert found is not None
    assert found.get("type", "") == kind


def test_a_passed_case_has_no_verdict_and_a_flaky_one_has_its_attempts(tmp_path: Path) -> None:
    flaky = ended(
        Outcome.FLAKY,
        name="f",
        attempts=(bad(Problem(message="first")), bad(Problem(message="x", blame="lab"), 2)),
    )
    root = written(tmp_path, ended(Outcome.PASSED), flaky)

    passed, second = root.findall(".//testcase")
    assert [child.tag for child in passed] == ["system-out"]
    assert [child.tag for child in second] == ["flakyFailure", "flakyError", "system-out"]
    assert "attempt 1: first" in (second[0].findtext("stackTrace") or "")


def test_there_is_a_suite_for_each_bench_with_right_numbers(tmp_path: Path) -> None:
    taken = BenchTaken(t=0, play="p", bench="b", host="h", devices={"board": "sim"}, simulated=("board",))
    root = written(
        tmp_path,
        taken,
        ended(Outcome.PASSED, simulated=True),
        ended(Outcome.FAILED, name="u"),
        ended(Outcome.ERROR, bench="c"),
        ended(Outcome.SKIPPED, bench="c", name="v"),
    )

    assert [
        (s.get("name"), s.get("tests"), s.get("failures"), s.get("errors"), s.get("skipped")) for s in root
    ] == [
        ("p@b", "2", "1", "0", "0"),
        ("p@c", "2", "0", "1", "1"),
    ]
    properties = {each.get("name"): each.get("value") for each in root[0].iter("property")}
    assert properties["simulated"] == "board"
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("4", "1", "1")


def test_characters_that_xml_cannot_hold_are_spelt_out(tmp_path: Path) -> None:
    nasty = "\x1b[0m \x00 ]]> \ufffe \x7f \ud800 ü €"
    problem = Problem(message=nasty, evidence={nasty: nasty}, console=nasty)
    root = written(tmp_path, ended(Outcome.FAILED, name=nasty, problem=problem, attempts=(bad(problem),)))

    valid(tmp_path)
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.get("message") == "\\x1b[0m \\x00 ]]> \\ufffe \\x7f \\ud800 ü €"


def test_the_console_of_a_case_is_cut_in_the_middle_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "console").mkdir()
    (tmp_path / "console" / "b.uart.raw").write_bytes(b"HEAD" + b"\x1bx\xff\r\n" * 10_000_000 + b"TAIL")
    size = (tmp_path / "console" / "b.uart.raw").stat().st_size
    part = ConsoleSlice(device="uart", path="console/b.uart.raw", start=0, end=size)
    root = written(tmp_path, ended(Outcome.PASSED, console=(part,)))

    text = root.findtext(".//system-out") or ""
    assert "HEAD" in text
    assert text.endswith("TAIL")
    assert f"… the middle of {size} bytes is left out here; all of it is in console/b.uart.raw …" in text
    assert len(text) < 257 * 1024
    assert (tmp_path / "junit.xml").stat().st_size < 260 * 1024
    valid(tmp_path)


def test_the_file_is_valid_after_every_case(tmp_path: Path) -> None:
    report = JUnit(tmp_path, pause=0)
    valid(tmp_path)
    report.hear(STARTED)
    for number in range(3):
        report.hear(begun(name=f"t{number}"))
        valid(tmp_path)
        report.hear(ended(Outcome.PASSED, name=f"t{number}"))
        valid(tmp_path)
        assert len(ET.parse(tmp_path / "junit.xml").getroot().findall(".//testcase")) == number + 1
    report.close()
    assert not list(tmp_path.glob(".junit*"))


def test_a_case_that_never_ended_is_an_error_in_the_file_of_a_killed_run(tmp_path: Path) -> None:
    root = written(tmp_path, begun(name="t"), ended(Outcome.PASSED), begun(name="u", attempt=2))

    valid(tmp_path)
    assert (root[0].get("tests"), root[0].get("errors")) == ("2", "1")
    error = root[0][-1].find("error")
    assert error is not None
    assert error.get("type") == "Cancelled"
    assert error.get("message") == "the run ended before this case did"


def test_measures_and_artifacts_stand_in_the_output(tmp_path: Path) -> None:
    step = step_ended(measures=(Measured(name="boot", value=12.5, unit="s", maximum=40),))
    saved = ArtifactSaved(t=0, path="artifacts/b/screen.png", bench="b", case="q::t@b")
    text = written(tmp_path, begun(), step, saved, ended(Outcome.PASSED)).findtext(".//system-out") or ""

    assert "measure boot: 12.5 s [pass] (max 40)" in text
    assert f"[[ATTACHMENT|{tmp_path / 'artifacts/b/screen.png'}]]" in text


def test_the_file_is_also_written_where_it_was_asked_for(tmp_path: Path) -> None:
    report = JUnit(tmp_path, str(tmp_path / "ci" / "report.xml"))
    report.hear(STARTED)
    report.hear(ended(Outcome.PASSED))
    report.close()

    assert (tmp_path / "ci" / "report.xml").read_bytes() == (tmp_path / "junit.xml").read_bytes()


def test_attempts_stand_where_surefire_wants_them_whatever_the_end(tmp_path: Path) -> None:
    attempts = (bad(Problem(message="lab", blame="lab")), bad(Problem(message="board", blame="board"), 2))
    root = written(
        tmp_path, ended(Outcome.ERROR, attempts=attempts, problem=Problem(message="m", blame="lab"))
    )

    valid(tmp_path)
    assert [child.tag for child in root[0][1]] == ["rerunFailure", "error", "rerunError", "system-out"]


def test_each_attempt_has_its_part_of_the_console_and_what_was_done_after_it(tmp_path: Path) -> None:
    (tmp_path / "console").mkdir()
    (tmp_path / "console" / "b.uart.raw").write_bytes(b"first\nsecond\n")
    parts = [ConsoleSlice(device="uart", path="console/b.uart.raw", start=0, end=6)]
    parts.append(ConsoleSlice(device="uart", path="console/b.uart.raw", start=6, end=13))
    problem = Problem(message="no prompt", kind="timeout", blame="board")
    tried = bad(
        problem, step="log in", console=(parts[0],), recovery=("ctrl_c: failed", "power_cycle: passed")
    )
    root = written(tmp_path, ended(Outcome.FLAKY, attempts=(tried,), console=(parts[1],)))

    valid(tmp_path)
    attempt, whole = root[0][1]
    assert (attempt.tag, attempt.get("type"), attempt.get("message")) == (
        "flakyFailure",
        "timeout",
        "no prompt",
    )
    assert (attempt.findtext("stackTrace") or "").splitlines()[-2:] == [
        "then ctrl_c: failed",
        "then power_cycle: passed",
    ]
    assert "attempt 1 of 'log in': no prompt" in (attempt.findtext("stackTrace") or "")
    said = attempt.findtext("system-out") or ""
    assert ("first" in said, "second" in said) == (True, False)
    assert ("first" in (whole.text or ""), "second" in (whole.text or "")) == (False, True)


def test_a_play_of_another_recipe_is_another_suite(tmp_path: Path) -> None:
    assert len(written(tmp_path, ended(), ended(recipe="other.yaml"))) == 2


def test_a_pipe_gets_the_file_once_and_stays_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    report = JUnit(tmp_path, str(tmp_path / "pipe"))
    report.hear(ended())
    report.close()

    assert os.read(reading, 100_000) == (tmp_path / "junit.xml").read_bytes()
    assert (tmp_path / "pipe").is_fifo()
    os.close(reading)


def test_a_file_that_cannot_be_written_is_refused_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(InputError) as caught:
        JUnit(tmp_path, str(tmp_path / "file" / "report.xml"))
    assert caught.value.faults[0].code == "E532"


def test_a_file_that_cannot_be_written_later_does_not_end_the_run(tmp_path: Path) -> None:
    report = JUnit(tmp_path, str(tmp_path / "ci" / "report.xml"), pause=0)
    (tmp_path / "ci" / "report.xml").unlink()
    (tmp_path / "ci").rmdir()
    report.hear(ended())

    assert len(ET.parse(tmp_path / "junit.xml").getroot().findall(".//testcase")) == 1
    with pytest.raises(OSError, match="ci"):
        report.close()


def test_a_disk_that_has_room_again_gets_the_whole_file(tmp_path: Path) -> None:
    report = JUnit(tmp_path, str(tmp_path / "ci" / "report.xml"), pause=0)
    (tmp_path / "ci" / "report.xml").unlink()
    (tmp_path / "ci").rmdir()
    report.hear(ended())
    (tmp_path / "ci").mkdir()
    report.close()

    assert (tmp_path / "ci" / "report.xml").read_bytes() == (tmp_path / "junit.xml").read_bytes()


def test_measures_of_an_earlier_attempt_are_not_told_and_of_too_many_the_number(tmp_path: Path) -> None:
    old, new = Measured(name="old", value=1), Measured(name="new", value=2)
    many = step_ended(measures=(new,) * (MOST + 3))
    first = [begun(), step_ended(Outcome.FAILED, measures=(old,))]
    text = written(tmp_path, *first, begun(attempt=2), many, ended()).findtext(".//system-out") or ""

    assert "measure old" not in text
    assert text.count("measure new") == MOST
    assert "3 more measures are in events.jsonl" in text
