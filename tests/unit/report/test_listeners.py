"""Which reports a run gets, and in which colours."""

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.events import STARTED, begun, ended, finished

from runner.report.colours import Paint, in_ci, wanted
from runner.report.listeners import Listener, listeners
from runner.result import Outcome

QUIET = ("CI", "NO_COLOR", "GITHUB_ACTIONS", "TERM")


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in QUIET:
        monkeypatch.delenv(name, raising=False)


def kinds(folder: Path, output: str = "text", *, live: bool = True) -> list[str]:
    found = listeners(SimpleNamespace(path=folder), output, junit=None, console=False, verbose=0, live=live)
    for each in found:
        each.close()
    return [type(each).__name__ for each in found]


def test_every_run_has_its_files_and_what_is_printed_comes_last(tmp_path: Path) -> None:
    assert set(kinds(tmp_path)[:-1]) == {"Fold", "EventsFile", "ConsoleFiles", "JUnit", "AtEnd"}
    assert kinds(tmp_path)[-1] == "Steady"
    assert kinds(tmp_path, "json")[-1] == "JsonLines"


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("TERM", "xterm", "Terminal"),
        ("TERM", "dumb", "Steady"),
        ("CI", "true", "Steady"),
        ("CI", "0", "Terminal"),
    ],
)
def test_only_a_terminal_that_somebody_watches_is_drawn_upon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, kind: str
) -> None:
    monkeypatch.setattr(sys, "stdout", Screen())
    monkeypatch.setenv(name, value)

    assert kinds(tmp_path)[-1] == kind
    assert kinds(tmp_path, live=False)[-1] == "Steady"


def test_github_gets_annotations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    assert kinds(tmp_path)[-2:] == ["Steady", "Github"]


def test_what_the_summary_names_is_on_the_disk_by_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there: list[list[str]] = []

    class Looking(io.StringIO):
        def write(self, text: str) -> int:
            if "report:" in text:
                whole = (each.name for each in tmp_path.iterdir() if not each.name.startswith("."))
                there.append(sorted(whole))  # one that is hidden is about to take another's place
            return super().write(text)

    monkeypatch.setattr(sys, "stdout", Looking())
    found: list[Listener] = listeners(
        SimpleNamespace(path=tmp_path), "text", junit=None, console=False, verbose=0
    )
    for event in (STARTED, begun(), ended(), finished()):
        for each in found:
            each.hear(event)
    for each in found:
        each.close()

    assert there == [["events.jsonl", "junit.xml", "report.html", "results.json"]]


@pytest.mark.parametrize(
    ("name", "value", "coloured"),
    [
        ("TERM", "xterm", True),
        ("TERM", "dumb", False),
        ("NO_COLOR", "1", False),
        ("NO_COLOR", "", True),
        ("CI", "true", False),
        ("CI", "false", True),
    ],
)
def test_colours_are_for_terminals_that_want_them(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, coloured: bool
) -> None:
    monkeypatch.setenv(name, value)

    assert wanted(Screen()) is coloured
    assert not wanted(io.StringIO())


def test_nobody_watches_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not in_ci()
    monkeypatch.setenv("CI", "true")
    assert in_ci()


def test_every_outcome_has_a_colour() -> None:
    paint = Paint(on=True)

    assert paint.outcome(Outcome.FAILED) == "\x1b[31mfailed\x1b[0m"
    assert all(paint.outcome(outcome).startswith("\x1b[3") for outcome in Outcome)
    assert paint("red", "") == ""
