"""Turns exceptions into ends of steps: the one place where that happens."""

from __future__ import annotations

import traceback
from typing import Any

from runner.api.verdicts import Cancelled, Failed, LabError, RecipeFault, Skipped, Verdict
from runner.connect.link import Crash
from runner.engine.end import End
from runner.result import Blame, Outcome, Problem
from runner.template import RenderError


def end_of(error: Exception, *, at: str, console: str) -> End:
    """Say how a step ended that raised `error`; `console` holds the bench's last console lines."""
    if isinstance(error, Skipped):
        return End(outcome=Outcome.SKIPPED, reason=error.message, result=error.result)
    if isinstance(error, Verdict):
        outcome, blame = _judged(error)
        return End(
            outcome=outcome,
            result=error.result,
            problem=_problem(error, blame, at=at, console="" if blame == "recipe" else console),
        )
    if isinstance(error, RenderError):
        problem = Problem(
            message=error.message,
            kind="bad_argument",
            blame="recipe",
            hint=error.hint,
            at=str(error.at or at),
        )
        return End(outcome=Outcome.ERROR, problem=problem)
    return End(outcome=Outcome.ERROR, problem=_crash(error, at))


def _judged(error: Verdict) -> tuple[Outcome, Blame]:
    match error:
        case Failed():
            return Outcome.FAILED, "board"
        case LabError():
            return Outcome.ERROR, "lab"
        case RecipeFault():
            return Outcome.ERROR, "recipe"
        case Cancelled():
            return Outcome.CANCELLED, "cancelled"
        case _:
            return Outcome.ERROR, "crash"


def _problem(error: Verdict, blame: Blame, *, at: str, console: str) -> Problem:
    evidence: dict[str, Any] = dict(error.evidence)
    return Problem(
        message=error.message,
        kind=error.kind,
        blame=blame,
        evidence=evidence,
        hint=error.hint,
        at=at,
        console=console,
    )


def _crash(error: Exception, at: str) -> Problem:
    text = error.traceback if isinstance(error, Crash) else "".join(traceback.format_exception(error))
    message = error.message if isinstance(error, Crash) else f"{type(error).__name__}: {error}"
    return Problem(message=message, kind="internal", blame="crash", at=at, traceback=text)
