"""The last lines of a run: how many of which outcome, which were bad, which slow, where the reports are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from runner.api.values import Duration
from runner.fold import RunResult
from runner.report.colours import Paint
from runner.result import Outcome

_MOST_BAD = 20
_MOST_SLOW = 3
_SLOW = 1.0
"""Seconds from which on it is worth a word which cases were the slowest."""
_MEANINGS: Mapping[int, str] = MappingProxyType(
    {
        1: "a case failed",
        2: "no case was executed",
        3: "the lab, or a set-up that did not pass",
        4: "no bench in time",
        5: "the cases are fine, clean-up is not",
        129: "hung up",
        130: "interrupted",
        143: "terminated",
    }
)


def text(result: RunResult, paint: Paint) -> str:
    """Return the summary of a finished run."""
    return "\n".join(_lines(result, paint))


def _lines(result: RunResult, paint: Paint) -> Iterator[str]:
    yield from _bad(result, paint)
    counts = [
        paint.outcome(Outcome[word.upper()], f"{count} {word}") for word, count in result.counts.items()
    ]
    yield f"{', '.join(counts) or 'no case'} in {result.seconds:.2f} s"
    flaky = [case.case for case in result.cases if case.outcome is Outcome.FLAKY]
    if flaky and len(result.cases) > 1:
        more = f" and {len(flaky) - _MOST_BAD} more" if len(flaky) > _MOST_BAD else ""
        yield paint("yellow", f"flaky: {', '.join(flaky[:_MOST_BAD])}{more}")
    slow = sorted((case for case in result.cases if case.seconds >= _SLOW), key=lambda case: -case.seconds)
    if len(result.cases) > 1 and slow:
        said = ", ".join(f"{case.case} {Duration(round(case.seconds, 1))}" for case in slow[:_MOST_SLOW])
        yield paint("dim", f"slowest: {said}")
    simulated = sorted(bench for bench, taken in result.benches.items() if taken.simulated)
    if simulated:
        yield f"simulated: {', '.join(simulated)} (no hardware was behind them)"
    for problem in result.clean_up:
        yield paint("magenta", f"clean-up: {problem.message}" + (f" (at {problem.at})" if problem.at else ""))
    if result.problem is not None:
        yield paint("magenta", result.problem.message)
    folder = Path(result.folder)
    yield f"report: {folder / 'report.html'}  junit: {folder / 'junit.xml'}"
    if result.exit_code:
        yield f"exit code {result.exit_code}: {_MEANINGS.get(result.exit_code, 'see the documentation')}"


def _bad(result: RunResult, paint: Paint) -> Iterator[str]:
    """Name the bad cases again: in a long run the lines about them are far up."""
    bad = [case for case in result.cases if not case.outcome.good]
    if len(result.cases) == 1 or not bad:
        return
    yield ""
    for case in bad[:_MOST_BAD]:
        why = case.problem.message if case.problem is not None else case.reason
        yield f"{paint.outcome(case.outcome, case.outcome.word.ljust(9))} {case.case}" + (
            f": {why}" if why else ""
        )
    if len(bad) > _MOST_BAD:
        yield f"… and {len(bad) - _MOST_BAD} more"
