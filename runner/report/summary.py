"""The last lines of a run: how many of which outcome, how long, and where the reports are."""

from __future__ import annotations

from pathlib import Path

from runner.fold import RunResult
from runner.report.colours import Paint
from runner.result import Outcome


def text(result: RunResult, paint: Paint) -> str:
    """Return the summary of a finished run."""
    counts = [
        paint.outcome(Outcome[word.upper()], f"{number} {word}") for word, number in result.counts.items()
    ]
    simulated = sorted(bench for bench, taken in result.benches.items() if taken.simulated)
    lines = [f"{', '.join(counts) or 'no case'} in {result.seconds:.2f} s"]
    if simulated:
        lines.append(f"simulated: {', '.join(simulated)} (no hardware was behind them)")
    lines.extend(paint("magenta", f"clean-up: {problem.message}") for problem in result.clean_up)
    folder = Path(result.folder)
    lines.append(f"report: {folder / 'report.html'}  junit: {folder / 'junit.xml'}")
    if result.exit_code:
        lines.append(
            f"exit code {result.exit_code}: {_MEANINGS.get(result.exit_code, 'see the documentation')}"
        )
    return "\n".join(lines)


_MEANINGS = {
    1: "a case failed",
    2: "no case was executed",
    3: "the lab, not the product",
    4: "no bench in time",
    5: "the cases are fine, clean-up is not",
    129: "hung up",
    130: "interrupted",
    143: "terminated",
}
