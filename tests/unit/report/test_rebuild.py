"""Reports made again from the events of a run."""

import json
from pathlib import Path

import lxml.html
import pytest
from jsonschema import validate
from support.events import STARTED, bad, begun, ended, finished, heard, step_ended

from runner.fold import Fold, fold
from runner.report import html
from runner.report.files import ConsoleFiles, EventsFile
from runner.report.junit import JUnit
from runner.report.rebuild import at_end, rebuild
from runner.result import (
    ArtifactSaved,
    BenchLost,
    BenchTaken,
    ConsoleSlice,
    Event,
    Measured,
    Outcome,
    PlayFinished,
    PlayStarted,
    Problem,
)
from runner.schema_files import events_schema, results_schema

NASTY = "<script>alert('1')</script> ]]> \x1b[31m \x00 \ud800 \ufffe &amp; ü"
PROBLEM = Problem(
    message=NASTY,
    blame="board",
    evidence={"raw": b"\xff", "within": (1, 2), "nan": float("nan"), "set": {"a"}},
    console=NASTY,
    at="q.yaml:4:7",
    hint=NASTY,
    traceback=NASTY,
)
EVENTS: list[Event] = [
    STARTED,
    PlayStarted(t=0, play="p", recipe="q.yaml", benches=("b",), cases=3),
    BenchTaken(t=0, play="p", bench="b", host="h", devices={"uart": "serial"}, simulated=("uart",)),
    step_ended(Outcome.FAILED, name="setup", case="", phase="setup", problem=PROBLEM),
    begun(),
    step_ended(
        Outcome.FAILED, problem=PROBLEM, measures=(Measured(name=NASTY, value=float("nan"), maximum=3.0),)
    ),
    ArtifactSaved(t=0, path="artifacts/b/a b.png", bench="b", case="q::t@b"),
    ended(
        Outcome.FAILED,
        problem=PROBLEM,
        attempts=(bad(PROBLEM),),
        tags=(NASTY,),
        meta={"owner": NASTY},
        console=(ConsoleSlice(device="uart", path="console/b.uart.raw", start=0, end=9),),
        simulated=True,
    ),
    begun("u"),
    ended(name="u"),
    BenchLost(t=0, play="p", bench="b", problem=PROBLEM),
    PlayFinished(t=0, play="p", problems=(PROBLEM,)),
]
NAMES = ("junit.xml", "results.json", "report.html")


def played(folder: Path, events: list[Event]) -> dict[str, bytes]:
    """Write what a run writes and return the files it left."""
    fold = Fold()
    consoles = ConsoleFiles(folder)
    listeners = [fold, EventsFile(folder), consoles, JUnit(folder), at_end(folder, fold.result)]
    consoles.console(heard(b"a\x1b\x00<b>\r\n", at=60))
    for event in events:
        for listener in listeners:
            listener.hear(event)
    for listener in listeners:
        listener.close()
    return {name: (folder / name).read_bytes() for name in NAMES}


@pytest.mark.parametrize("events", [[*EVENTS, finished(1)], [*EVENTS, begun("v")], EVENTS[:6]])
def test_reports_made_again_are_the_same_to_the_byte(tmp_path: Path, events: list[Event]) -> None:
    first = played(tmp_path, events)
    for name in NAMES:
        (tmp_path / name).unlink()

    assert [path.name for path in rebuild(tmp_path)] == list(NAMES)
    assert {name: (tmp_path / name).read_bytes() for name in NAMES} == first


def test_a_killed_run_gets_all_its_reports(tmp_path: Path) -> None:
    events = EventsFile(tmp_path)
    for event in (STARTED, begun()):
        events.hear(event)
    events.close()
    rebuild(tmp_path)

    found = json.loads((tmp_path / "results.json").read_bytes())
    assert (found["exit_code"], [each["case"] for each in found["unfinished"]]) == (None, ["q::t@b"])
    assert "q::t@b began and did not end" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_events_and_results_are_what_their_schemas_say(tmp_path: Path) -> None:
    found = json.loads(played(tmp_path, [*EVENTS, finished(1)])["results.json"])
    validate(found, results_schema())
    lines = (tmp_path / "events.jsonl").read_bytes().splitlines()
    numbered = [line for line in lines if b'"value":"nan"' not in line]  # which no schema calls a number
    for line in numbered:
        validate(json.loads(line), events_schema())

    assert len(numbered) == len(lines) - 1
    assert (found["exit_code"], found["counts"]) == (1, {"passed": 1, "failed": 1})
    assert found["cases"][0]["measures"][0]["max"] == 3.0


def page(folder: Path, *events: Event) -> lxml.html.HtmlElement:
    return lxml.html.fromstring(played(folder, [*EVENTS, *events])["report.html"].decode())


def test_the_page_holds_no_markup_of_others_and_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    tree = page(tmp_path, finished(1))
    text = (tmp_path / "report.html").read_text(encoding="utf-8")

    assert len(tree.xpath("//script")) == 1
    assert "<script>alert" not in text
    assert not tree.xpath("//link | //img | //iframe | //script[@src] | //*[starts-with(@href, 'http')]")
    assert "http" not in text.replace("http-equiv", "")
    assert not [each for each in text if each != "\n" and ord(each) < 32]


def test_the_page_shows_cases_with_steps_measures_attempts_files_and_consoles(tmp_path: Path) -> None:
    tree = page(tmp_path, finished(1))
    (case, _) = tree.xpath("//details[contains(@class, 'case')]")
    text = case.text_content()

    assert "open" in case.attrib
    for part in ("q.yaml:4:7", "attempt 1 did not pass", "owner:", "a\\x1b\\x00<b>", "nan", "simulated"):
        assert part in text
    assert case.xpath(".//a/@href") == ["./artifacts/b/a%20b.png"]
    assert case.xpath(".//td[@class='failed']/text()") == ["failed"]


def test_the_page_shows_what_went_wrong_outside_of_cases(tmp_path: Path) -> None:
    text = page(tmp_path, finished(1)).text_content()

    for part in ("bench b was lost", "clean-up did not do all it should", "setup (setup)", "exit code 1"):
        assert part in text


def test_the_page_says_a_problem_of_a_step_once(tmp_path: Path) -> None:
    problem = Problem(message="only once")
    steps = [step_ended(Outcome.FAILED, name, problem=problem, case="q::w@b") for name in ("inner", "outer")]
    text = page(tmp_path, begun("w"), *steps, ended(Outcome.FAILED, "w", problem=problem)).text_content()

    assert text.count("only once") == 1
    assert "passed 1" not in text
    assert "1 passed" in text


def test_a_page_of_many_cases_leaves_consoles_to_their_logs(tmp_path: Path) -> None:
    (tmp_path / "console").mkdir()
    (tmp_path / "console" / "b.uart.raw").write_bytes(b"0123456789abcde\n" * 6400)
    part = ConsoleSlice(device="uart", path="console/b.uart.raw", start=0, end=102_400)
    result = fold(ended(Outcome.FAILED, str(number), console=(part,)) for number in range(4))
    text = "".join(html.pieces(result, tmp_path, cap=150_000))

    assert 140_000 < len(text) < 160_000
    assert text.count("the middle of 102400 bytes is left out here") == 3
    assert text.count("the page is full; all of it is in console/b.uart.raw") == 1


def test_a_report_that_cannot_be_written_keeps_no_other_from_it(tmp_path: Path) -> None:
    (tmp_path / "results.json").mkdir()
    reports = at_end(tmp_path, Fold().result)
    reports.hear(finished())

    assert (tmp_path / "report.html").is_file()
    with pytest.raises(OSError, match="results.json"):
        reports.close()
