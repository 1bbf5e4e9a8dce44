"""The last lines of a run: how many of which outcome, which were bad, which slow, where the reports are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from runner.api.values import Duration
from runner.fold import RunResult
from runner.report.colours import Paint
from runner.result import BoardStart, CaseFinished, Outcome

_MOST_BAD = 20
_MOST_SLOW = 3
_SLOW = 1.0
"""Seconds from which on it is worth a word which cases were the slowest."""
_MOST_BENCHES = 8
_STAGES: Mapping[str, str] = MappingProxyType(
    {"first_byte": "first byte", "spl": "SPL", "uboot": "U-Boot", "userspace": "user space"}
)
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
    for bench, starts in list(result.starts.items())[:_MOST_BENCHES]:
        yield from _starts(bench, starts, paint)
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


def _starts(bench: str, starts: Sequence[BoardStart], paint: Paint) -> Iterator[str]:
    """Say when each stage of a bench's last start was reached, and how many starts there were."""
    if not starts:
        return
    last = starts[-1]
    stages = ", ".join(
        f"{_STAGES.get(stage, stage)} {seconds:.2f} s"
        for stage, seconds in sorted(last.stages.items(), key=lambda each: each[1])
    )
    many = f" ({len(starts)} starts, this is the last)" if len(starts) > 1 else ""
    yield paint("dim", f"{last.kind} of {bench}: {stages}{many}")


def _bad(result: RunResult, paint: Paint) -> Iterator[str]:
    """Name the bad cases again: in a long run the lines about them are far up.

    Cases that are blocked for one reason are one line.
    """
    bad = [case for case in result.cases if not case.outcome.good]
    if len(result.cases) == 1 or not bad:
        return
    yield ""
    alike: dict[str, list[CaseFinished]] = {}
    for case in bad:
        blocked = case.outcome is Outcome.BLOCKED
        alike.setdefault(_why(case) if blocked else f"{case.case} alone", []).append(case)
    groups = list(alike.values())
    for first, *others in groups[:_MOST_BAD]:
        more = f" and {len(others)} more" if others else ""
        why = f": {_why(first)}" if _why(first) else ""
        yield f"{paint.outcome(first.outcome, first.outcome.word.ljust(9))} {first.case}{more}{why}"
    if len(groups) > _MOST_BAD:
        yield f"… and {sum(map(len, groups[_MOST_BAD:]))} more"


def _why(case: CaseFinished) -> str:
    return case.problem.message if case.problem is not None else case.reason
