"""Makes the reports of a run again from its events."""

from __future__ import annotations

from pathlib import Path

from runner.events import read
from runner.report.html import Html
from runner.report.junit import JUnit
from runner.report.results_json import ResultsJson


def rebuild(folder: Path) -> list[Path]:
    """Write junit.xml, results.json and report.html anew and return their paths."""
    listeners = (JUnit(folder), ResultsJson(folder), Html(folder))
    for event in read(folder / "events.jsonl"):
        for listener in listeners:
            listener.hear(event)
    for listener in listeners:
        listener.close()
    return [folder / name for name in ("junit.xml", "results.json", "report.html")]
