"""results.json: the result of a run as one JSON object, without the steps (those are in events.jsonl)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runner.agent.calls import ConsoleBytes
from runner.events import to_json
from runner.fold import Fold, RunResult
from runner.result import Event, RunFinished


class ResultsJson:
    """The listener that writes results.json when the run ends."""

    def __init__(self, folder: Path) -> None:
        """Write into the run's folder."""
        self._path = folder / "results.json"
        self._fold = Fold()

    def hear(self, event: Event) -> None:
        """Take an event in."""
        self._fold.hear(event)
        if isinstance(event, RunFinished):
            self._path.write_text(text(self._fold.result), encoding="utf-8")

    def console(self, chunk: ConsoleBytes) -> None:
        """Leave console bytes to their own files."""

    def close(self) -> None:
        """Nothing is open."""


def text(result: RunResult) -> str:
    """Return the text of the file."""
    return json.dumps(as_object(result), indent=1, ensure_ascii=False, default=str) + "\n"


def as_object(result: RunResult) -> dict[str, Any]:
    """Return a result as what JSON can hold."""
    return {
        "run": result.run,
        "started": result.started,
        "seconds": result.seconds,
        "version": result.version,
        "exit_code": result.exit_code,
        "recipes": list(result.recipes),
        "options": dict(result.options),
        "counts": result.counts,
        "steps": result.steps,
        "benches": [_event(each) for each in result.benches.values()],
        "lost": [_event(each) for each in result.lost],
        "cases": [_case(each, result) for each in result.cases],
        "artifacts": [each.path for each in result.artifacts],
        "clean_up": [each.message for each in result.clean_up],
    }


def _case(case: Any, result: RunResult) -> dict[str, Any]:
    found = _event(case)
    if case.case in result.measures:
        found["measures"] = [
            {name: value for name, value in _measure(each).items() if value is not None and value != ""}
            for each in result.measures[case.case]
        ]
    return found


def _measure(measured: Any) -> dict[str, Any]:
    return {
        "name": measured.name,
        "value": measured.value,
        "unit": measured.unit,
        "min": measured.minimum,
        "max": measured.maximum,
        "warn": measured.warn,
        "equals": measured.equals,
        "verdict": measured.verdict,
    }


def _event(event: Event) -> dict[str, Any]:
    found = to_json(event)
    del found["event"]
    return found
