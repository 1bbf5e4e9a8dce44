"""The folder of a run: where it is, what lies in it, and how to find one again."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner import __version__
from runner.errors import Fault, InputError
from runner.events import read
from runner.result import CaseFinished, CaseStarted, RunStarted

LATEST = "latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFolder:
    """``results/<utc>-<id>/``: events.jsonl, results.json, junit.xml, report.html, console/, artifacts/."""

    run: str
    path: Path
    began: dt.datetime

    @classmethod
    def create(cls, results: str) -> RunFolder:
        """Make the folder of a new run and the link ``latest``; raise InputError when it cannot be made."""
        began = dt.datetime.now(dt.timezone.utc)
        run = f"{began:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        path = Path(results) / run
        try:
            path.mkdir(parents=True)
        except OSError as error:
            message = f"the results cannot be put into {results}: {error.strerror}"
            raise InputError([Fault(code="E531", message=message, hint="--results DIR")]) from error
        _link(Path(results) / LATEST, run)
        return cls(run=run, path=path, began=began)

    def started(self, recipes: Sequence[str], options: Mapping[str, Any]) -> RunStarted:
        """Return the first event of the run."""
        return RunStarted(
            t=0.0,
            run=self.run,
            started=self.began.isoformat(timespec="seconds"),
            version=__version__,
            recipes=tuple(recipes),
            folder=str(self.path),
            options=options,
        )


def find_run(results: str, run: str) -> Path:
    """Return the folder of a run: ``latest``, an id, the beginning of one, or a path."""
    folder = Path(results)
    for candidate in (folder / run, Path(run)):
        if _is_run(candidate):
            return candidate
    found = folder.iterdir() if folder.is_dir() else ()
    runs = sorted((each for each in found if _is_run(each) and each.name != LATEST), reverse=True)
    matching = runs[:1] if run == LATEST else [each for each in runs if each.name.startswith(run)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        message, hint = f"{run!r} begins the ids of {len(matching)} runs", _names(matching)
    else:
        message = f"no run {run!r} in {results}"
        hint = f"the last ones: {_names(runs)}" if runs else f"{results} has no run"
    raise InputError([Fault(code="E530", message=message, hint=hint)])


def _is_run(folder: Path) -> bool:
    return (folder / "events.jsonl").is_file()


def _names(runs: Sequence[Path]) -> str:
    return ", ".join(each.name for each in runs[:3])


def failed_cases(results: str, run: str) -> frozenset[str]:
    """Return the ids of the cases that did not pass in a run, or began and never ended."""
    passed: dict[str, bool] = {}
    for event in read(find_run(results, run) / "events.jsonl"):
        match event:
            case CaseStarted():
                passed[event.case] = False
            case CaseFinished():
                passed[event.case] = event.outcome.good
            case _:
                continue
    return frozenset(case for case, good in passed.items() if not good)


def _link(link: Path, run: str) -> None:
    """Point ``latest`` at the run, in one step; a file system without links goes without."""
    part = link.with_name(f".{LATEST}-{run}")
    try:
        part.symlink_to(run)
        part.replace(link)
    except OSError:
        part.unlink(missing_ok=True)
