"""Results as JUnit XML: a suite for each play and bench, a test case for each case.

The file is valid at every moment: it is written anew beside the old one and renamed over it
when a case begins and when it ends. Cases that are done lie in spool files, so that memory
does not grow; quick cases share a writing.
"""

from __future__ import annotations

from pathlib import Path
from typing import assert_never

from runner.agent.calls import ConsoleBytes
from runner.errors import Fault, InputError
from runner.fold import note_starts
from runner.report.atomic import replaceable, replacing
from runner.report.pace import Pace
from runner.report.suites import Suite, write
from runner.report.testcase import Gathered, finished
from runner.result import (
    ArtifactSaved,
    BenchLost,
    BenchReleased,
    BenchTaken,
    BoardStart,
    CaseFinished,
    CaseStarted,
    DeviceOpened,
    Event,
    Logged,
    PlayFinished,
    PlayStarted,
    Progress,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)

_PAUSE = 0.05


class JUnit:
    """The listener that keeps junit.xml up to date."""

    def __init__(self, folder: Path, also: str | None = None, *, pause: float = _PAUSE) -> None:
        """Write ``junit.xml`` into the run's folder, and to `also`, at most once in `pause` seconds.

        Raises InputError when that is impossible.
        """
        self._folder = folder
        self._paths = [folder / "junit.xml", *([Path(also)] if also else [])]
        self._suites: dict[tuple[str, str, str], Suite] = {}
        self._started = ""
        self._benches: dict[str, BenchTaken] = {}
        self._gathered: dict[str, Gathered] = {}
        self._starts: dict[str, list[BoardStart]] = {}
        self._problem: OSError | None = None
        for path in self._paths:
            _prepare(path)
        self._pace = Pace(self._write, pause=pause)

    def hear(self, event: Event) -> None:
        """Take note of what belongs to a case; write the file when it begins and when it ends."""
        with self._pace.lock:
            self._hear(event)

    def _hear(self, event: Event) -> None:
        match event:
            case StepStarted() | DeviceOpened() | Progress() | Logged():
                pass
            case StepFinished():
                if event.measures:
                    self._of(event).measure(event.measures)
                    note_starts(self._starts.setdefault(event.bench, []), event.measures)
            case RunStarted():
                self._started = event.started
            case BenchTaken():
                self._benches[event.bench] = event
            case CaseStarted():
                self._begin(event)
            case ArtifactSaved():
                self._of(event).artifacts.append(event.path)
            case CaseFinished():
                self._finish(event)
            case PlayStarted() | PlayFinished() | BenchLost() | BenchReleased() | RunFinished():
                pass
            case _:
                assert_never(event)

    def console(self, chunk: ConsoleBytes) -> None:
        """Leave console bytes to their own files."""

    def close(self) -> None:
        """Write the file a last time and let go of the spool files; raise OSError when it could not be."""
        self._pace.catch_up()
        if self._problem is not None:
            self._write()
        for path in self._paths:
            if not replaceable(path):
                with path.open("wb") as file:
                    write(file, self._suites.values())
        for suite in self._suites.values():
            suite.close()
        if self._problem is not None:
            raise self._problem

    def _begin(self, case: CaseStarted) -> None:
        self._of(case).begin()
        self._suite(case).begin(case)
        self._pace.want()

    def _finish(self, case: CaseFinished) -> None:
        gathered = self._gathered.pop(case.case, Gathered())
        suite = self._suite(case)
        suite.add(case, finished(case, gathered, self._folder))
        suite.properties = {**suite.properties, **self._stages(case.bench)}
        self._pace.want()

    def _of(self, event: CaseStarted | StepFinished | ArtifactSaved) -> Gathered:
        return self._gathered.setdefault(event.case, Gathered())

    def _suite(self, case: CaseStarted | CaseFinished) -> Suite:
        key = (case.recipe, case.play, case.bench)
        if key not in self._suites:
            self._suites[key] = Suite(f"{case.play}@{case.bench}", self._properties(case))
        return self._suites[key]

    def _stages(self, bench: str) -> dict[str, str]:
        """Return the stages of the last start of a bench, as properties."""
        starts = self._starts.get(bench) or ()
        return {
            f"{each.kind}.{name}": f"{at:g} s" for each in starts[-1:] for name, at in each.stages.items()
        }

    def _properties(self, case: CaseStarted | CaseFinished) -> dict[str, str]:
        properties = {"bench": case.bench, "recipe": case.recipe, "started": self._started}
        bench = self._benches.get(case.bench)
        if bench is not None:
            properties["host"] = bench.host
            properties |= {f"device {name}": driver for name, driver in bench.devices.items()}
            if bench.simulated:
                properties["simulated"] = ", ".join(bench.simulated)
        return properties

    def _write(self) -> None:
        """Write the files; a disk that is full now may have room when the run ends."""
        self._problem = None
        for path in self._paths:
            try:
                if replaceable(path):
                    with replacing(path) as file:
                        write(file, self._suites.values())
            except OSError as error:
                self._problem = error


def _prepare(path: Path) -> None:
    """Write a file without cases, so that it is known before the run that it can be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if replaceable(path):
            with replacing(path) as file:
                write(file, ())
    except OSError as error:
        message = f"the JUnit file cannot be written to {path}: {error.strerror}"
        raise InputError([Fault(code="E532", message=message, hint="--junit FILE")]) from error
