"""results.json: the result of a run as one JSON object, without the steps (those are in events.jsonl)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from runner.events import plain, to_json
from runner.fold import RunResult
from runner.result import CaseFinished, Event, Measured


def text(result: RunResult) -> Iterator[str]:
    """Go through the text of the file."""
    yield json.dumps(as_object(result), indent=1, ensure_ascii=False) + "\n"


def as_object(result: RunResult) -> dict[str, Any]:
    """Return a result as what JSON can hold."""
    found = {
        "run": result.run,
        "started": result.started,
        "seconds": result.seconds,
        "version": result.version,
        "exit_code": result.exit_code,
        "recipes": list(result.recipes),
        "options": plain(result.options),
        "counts": result.counts,
        "steps": result.steps,
        "benches": [_event(each) for each in result.benches.values()],
        "lost": [_event(each) for each in result.lost],
        "starts": {
            bench: [{"kind": each.kind, "console": each.console, **each.stages} for each in starts]
            for bench, starts in result.starts.items()
            if starts
        },
        "cases": [_case(each, result) for each in result.cases],
        "unfinished": [_event(each) for each in result.unfinished.values()],
        "artifacts": [each.path for each in result.artifacts],
        "clean_up": [each.message for each in result.clean_up],
    }
    return found if result.problem is None else {**found, "problem": plain(result.problem)}


def _case(case: CaseFinished, result: RunResult) -> dict[str, Any]:
    found = _event(case)
    measures = result.measures.get(case.case)
    return {**found, "measures": [_measure(each) for each in measures]} if measures else found


def _measure(measured: Measured) -> dict[str, Any]:
    limits = {
        "min": measured.minimum,
        "max": measured.maximum,
        "warn": measured.warn,
        "equals": measured.equals,
    }
    return {
        "name": measured.name,
        "value": plain(measured.value),
        **({"unit": measured.unit} if measured.unit else {}),
        **{name: plain(value) for name, value in limits.items() if value is not None},
        "verdict": measured.verdict,
    }


def _event(event: Event) -> dict[str, Any]:
    return {name: value for name, value in to_json(event).items() if name != "event"}
