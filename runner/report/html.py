"""report.html: the run on one page that needs nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runner.agent.calls import ConsoleBytes
from runner.fold import Fold, RunResult
from runner.report.problem import problem_text
from runner.report.slices import console_text
from runner.result import CaseFinished, Event, RunFinished

_CONSOLE_CAP = 64 * 1024


class Html:
    """The listener that writes report.html when the run ends."""

    def __init__(self, folder: Path) -> None:
        """Write into the run's folder."""
        self._folder = folder
        self._fold = Fold()

    def hear(self, event: Event) -> None:
        """Take an event in; write the page at the end."""
        self._fold.hear(event)
        if isinstance(event, RunFinished):
            page = render(self._fold.result, self._folder)
            (self._folder / "report.html").write_text(page, encoding="utf-8")

    def console(self, chunk: ConsoleBytes) -> None:
        """Leave console bytes to their own files."""

    def close(self) -> None:
        """Nothing is open."""


def render(result: RunResult, folder: Path) -> str:
    """Return the page."""
    from jinja2 import Environment

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = (Path(__file__).parent / "report.html.j2").read_text(encoding="utf-8")
    return environment.from_string(template).render(
        result=result, cases=[_case(each, result, folder) for each in result.cases]
    )


def _case(case: CaseFinished, result: RunResult, folder: Path) -> dict[str, Any]:
    return {
        "case": case,
        "word": case.outcome.word,
        "problem": problem_text(case.problem) if case.problem else "",
        "attempts": [problem_text(each) for each in case.attempts],
        "measures": result.measures.get(case.case, []),
        "console": console_text(folder, case.console, _CONSOLE_CAP),
    }
