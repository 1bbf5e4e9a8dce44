"""report.html: the run on one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.fold import RunResult
from runner.report.characters import legal
from runner.report.problem import problem_text
from runner.report.slices import console_text
from runner.report.testcase import attempt_text
from runner.result import CaseFinished, ConsoleSlice, Measured, StepFinished

_GOOD_CAP, _BAD_CAP = 16 * 1024, 64 * 1024
PAGE_CAP = 32 * 1024 * 1024
"""Bytes of console output on one page: a browser has to hold it."""
_FEW = 20
"""So many cases are shown with their problems open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step that did not pass; `problem` is empty when the case, or a step inside, says the same."""

    step: StepFinished
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """An attempt that did not pass, and what the consoles said during it."""

    title: str
    text: str
    console: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A case as the page shows it."""

    case: CaseFinished
    problem: str
    attempts: tuple[Tried, ...]
    steps: tuple[Step, ...]
    measures: tuple[Measured, ...]
    left_out: int
    artifacts: tuple[str, ...]
    console: str


def pieces(result: RunResult, folder: Path, *, cap: int = PAGE_CAP) -> Iterator[str]:
    """Go through the text of the page: a case at a time, so that memory stays small.

    `cap`: bytes of console output on the page.
    """
    from jinja2 import Environment

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=_printable)
    environment.filters["problem"] = problem_text
    template = environment.from_string((Path(__file__).parent / "report.html.j2").read_text(encoding="utf-8"))
    return template.generate(
        result=result,
        cases=_cases(result, folder, cap),
        outside=_steps(result, "", said=""),
        few=len(result.cases) < _FEW,
    )


def _printable(value: object) -> object:
    """Spell out what is no character of HTML, either."""
    return legal(value) if type(value) is str else value


def _cases(result: RunResult, folder: Path, left: int) -> Iterator[Shown]:
    artifacts: dict[str, list[str]] = {}
    for saved in result.artifacts:
        artifacts.setdefault(saved.case, []).append(saved.path)
    for case in result.cases:
        cap = min(left, _GOOD_CAP if case.outcome.good else _BAD_CAP)
        console = _console(case.console, folder, cap)
        left -= len(console)
        attempts = _attempts(case, folder, left)
        left -= sum(len(each.console) for each in attempts)
        problem = problem_text(case.problem) if case.problem else ""
        yield Shown(
            case=case,
            problem=problem,
            attempts=attempts,
            steps=_steps(result, case.case, said=problem),
            measures=tuple(result.measures.get(case.case, ())),
            left_out=result.left_out.get(case.case, 0),
            artifacts=tuple(artifacts.get(case.case, ())),
            console=console,
        )


def _attempts(case: CaseFinished, folder: Path, left: int) -> tuple[Tried, ...]:
    cap = min(_GOOD_CAP, left // max(1, len(case.attempts)))
    return tuple(
        Tried(
            title=f"attempt {each.number}" + (f" of {each.step!r}" if each.step else ""),
            text=attempt_text(each),
            console=_console(each.console, folder, cap),
        )
        for each in case.attempts
    )


def _console(parts: tuple[ConsoleSlice, ...], folder: Path, cap: int) -> str:
    if cap >= _GOOD_CAP or not parts:
        return console_text(folder, parts, cap)
    return "the page is full; all of it is in " + ", ".join(part.path for part in parts)


def _steps(result: RunResult, case: str, *, said: str) -> tuple[Step, ...]:
    found: list[Step] = []
    last = ""
    for step in result.bad_steps.get(case, ()):
        problem = problem_text(step.problem) if step.problem else ""
        found.append(Step(step=step, problem="" if problem in {said, last} else problem))
        last = problem
    return tuple(found)
