"""Events with everything filled in that a test does not care about."""

from __future__ import annotations

from typing import Any

from runner.agent.calls import ConsoleBytes
from runner.result import (
    Attempt,
    CaseFinished,
    CaseStarted,
    Outcome,
    Problem,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)

SECOND = 1_000_000_000
STARTED = RunStarted(
    t=0, run="r", started="2026-11-21T08:00:00+00:00", version="0", recipes=("q.yaml",), folder="results/r"
)


def begun(name: str = "t", *, bench: str = "b", **more: Any) -> CaseStarted:
    """Return a case's beginning."""
    return CaseStarted(**{**_case(name, bench), "t": 0.5, **more})


def ended(
    outcome: Outcome = Outcome.PASSED, name: str = "t", *, bench: str = "b", **more: Any
) -> CaseFinished:
    """Return a case's end."""
    return CaseFinished(**{**_case(name, bench), "t": 1.0, "outcome": outcome, "seconds": 0.5, **more})


def bad(problem: Problem, number: int = 1, **more: Any) -> Attempt:
    """Return an attempt that did not pass."""
    outcome = Outcome.ERROR if problem.blame == "lab" else Outcome.FAILED
    return Attempt(**{"number": number, "outcome": outcome, "problem": problem, "seconds": 0.5, **more})


def step_begun(name: str = "n", **more: Any) -> StepStarted:
    """Return a step's beginning."""
    return StepStarted(**{**_step(name), "t": 0.6, **more})


def step_ended(outcome: Outcome = Outcome.PASSED, name: str = "n", **more: Any) -> StepFinished:
    """Return a step's end."""
    return StepFinished(**{**_step(name), "t": 0.9, "outcome": outcome, "seconds": 0.25, **more})


def finished(code: int = 0) -> RunFinished:
    """Return the run's end."""
    return RunFinished(t=2, seconds=2.0, exit_code=code, counts={})


def heard(data: bytes, *, index: int = 0, at: int = 0, gap: str = "", bench: str = "b") -> ConsoleBytes:
    """Return what a console received, `at` seconds after midnight UTC."""
    return ConsoleBytes(bench, "uart", index, at * SECOND, at * SECOND, data, gap)


def _case(name: str, bench: str) -> dict[str, Any]:
    return {
        "case": f"q::{name}@{bench}",
        "play": "p",
        "test": name,
        "bench": bench,
        "recipe": "q.yaml",
        "at": "q.yaml:3:5",
    }


def _step(name: str) -> dict[str, Any]:
    return {
        "step": f"tests[0].{name}",
        "name": name,
        "verb": "v",
        "bench": "b",
        "case": "q::t@b",
        "phase": "test",
        "at": "q.yaml:4:7",
    }
