"""Makes the reports of a run again from its events."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

from runner.events import read
from runner.fold import Fold, RunResult
from runner.report import html, results_json
from runner.report.at_end import AtEnd
from runner.report.junit import JUnit


def at_end(folder: Path, result: RunResult) -> AtEnd:
    """Return the listener that writes results.json and report.html into a run's folder."""
    return AtEnd(
        {
            folder / "results.json": results_json.text,
            folder / "report.html": partial(html.pieces, folder=folder),
        },
        result,
    )


def rebuild(folder: Path) -> list[Path]:
    """Write junit.xml, results.json and report.html anew and return their paths.

    They are the same to the byte as those that the run wrote, also when it was killed.
    """
    folded = Fold()
    listeners = (folded, JUnit(folder, pause=math.inf), at_end(folder, folded.result))
    for event in read(folder / "events.jsonl"):
        for listener in listeners:
            listener.hear(event)
    for listener in listeners:
        listener.close()
    return [folder / name for name in ("junit.xml", "results.json", "report.html")]
