"""Events fold into the result of a run; what only a long report needs is not kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, assert_never

from runner.agent.calls import ConsoleBytes
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
    Measured,
    Outcome,
    PlayFinished,
    PlayStarted,
    Problem,
    Progress,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)

OK, FAILED, INPUT, LAB, NO_BENCH, CLEAN_UP = 0, 1, 2, 3, 4, 5
MOST = 1000
"""Measures, and bad steps, that are kept of one case: a loop may make millions."""
_Kept = TypeVar("_Kept", Measured, StepFinished)
_STAGE = re.compile(r"(?:(.+)\.)?(boot|restart)\.(first_byte|spl|uboot|prompt|kernel|userspace|login)")
"""The measures that consoles make: `runner.console.Console.stages_reached`."""
_EXECUTED = frozenset(
    {Outcome.PASSED, Outcome.FLAKY, Outcome.XFAILED, Outcome.XPASSED, Outcome.FAILED, Outcome.ERROR}
)


class Verdicts(Protocol):
    """The options that decide about the exit code."""

    @property
    def strict_flaky(self) -> bool:
        """A flaky case fails the run."""

    @property
    def fail_on_skip(self) -> bool:
        """A skipped case fails the run."""

    @property
    def allow_empty(self) -> bool:
        """A run without a case is fine."""


@dataclass(slots=True)
class RunResult:
    """What came of a run. It grows while the run goes on; everything in it is frozen.

    `measures` and `bad_steps`: by case id (empty: outside of cases), of its last attempt, and
    the first `MOST` of them; `left_out` counts the others. All of them are in the events.
    """

    run: str = ""
    started: str = ""
    folder: str = ""
    version: str = ""
    recipes: tuple[str, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    plays: list[PlayStarted] = field(default_factory=list)
    cases: list[CaseFinished] = field(default_factory=list)
    unfinished: dict[str, CaseStarted] = field(default_factory=dict)
    """Cases that have begun and not ended, by id: when a run was killed, these never will."""
    measures: dict[str, list[Measured]] = field(default_factory=dict)
    bad_steps: dict[str, list[StepFinished]] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    starts: dict[str, list[BoardStart]] = field(default_factory=dict)
    """By bench, how its board has started; the first `MOST` times."""
    steps: int = 0
    benches: dict[str, BenchTaken] = field(default_factory=dict)
    lost: list[BenchLost] = field(default_factory=list)
    artifacts: list[ArtifactSaved] = field(default_factory=list)
    clean_up: list[Problem] = field(default_factory=list)
    seconds: float = 0.0
    exit_code: int | None = None
    problem: Problem | None = None
    """Why the run itself ended badly."""

    @property
    def counts(self) -> dict[str, int]:
        """Return the number of cases for each outcome that occurred."""
        counts: dict[str, int] = {}
        for outcome in sorted(case.outcome for case in self.cases):
            counts[outcome.word] = counts.get(outcome.word, 0) + 1
        return counts


class Fold:
    """A listener that grows a result."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.result = RunResult()

    def hear(self, event: Event) -> None:  # noqa: C901 - one branch for each kind of event
        """Take an event in."""
        result = self.result
        match event:
            case StepStarted() | Progress() | Logged() | BenchReleased() | DeviceOpened():
                pass
            case StepFinished():
                self._step(event)
            case RunStarted():
                result.run, result.started, result.folder = event.run, event.started, event.folder
                result.version, result.recipes, result.options = event.version, event.recipes, event.options
            case PlayStarted():
                result.plays.append(event)
            case BenchTaken():
                result.benches[event.bench] = event
            case BenchLost():
                result.lost.append(event)
            case CaseStarted():
                result.unfinished[event.case] = event
                result.measures.pop(event.case, None)
                result.bad_steps.pop(event.case, None)
                result.left_out.pop(event.case, None)
            case CaseFinished():
                result.unfinished.pop(event.case, None)
                result.cases.append(event)
            case ArtifactSaved():
                result.artifacts.append(event)
            case PlayFinished():
                result.clean_up.extend(event.problems)
            case RunFinished():
                result.seconds, result.exit_code = event.seconds, event.exit_code
                result.problem = event.problem
            case _:
                assert_never(event)

    def _step(self, event: StepFinished) -> None:
        result = self.result
        result.steps += 1
        if event.measures:
            note_starts(self.result.starts.setdefault(event.bench, []), event.measures)
            self._keep(result.measures.setdefault(event.case, []), event.measures, event.case)
        if not event.outcome.good:
            self._keep(result.bad_steps.setdefault(event.case, []), (event,), event.case)

    def _keep(self, kept: list[_Kept], more: tuple[_Kept, ...], case: str) -> None:
        fitting = more[: MOST - len(kept)]
        kept.extend(fitting)
        if len(fitting) < len(more):
            left_out = self.result.left_out
            left_out[case] = left_out.get(case, 0) + len(more) - len(fitting)

    def console(self, chunk: ConsoleBytes) -> None:
        """Leave console bytes to others."""

    def close(self) -> None:
        """Nothing is open."""


def note_starts(starts: list[BoardStart], measures: Iterable[Measured]) -> None:
    """Add the stages among the measures of a step to the starts of a bench.

    A first byte, a stage that the last start of a console has already, or one of the other kind
    begins another.
    """
    for each in measures:
        found = _STAGE.fullmatch(each.name)
        if found is None:
            continue
        console, kind, stage = found[1] or "", found[2], found[3]
        fresh = stage == "first_byte"
        last = next((at for at in reversed(range(len(starts))) if starts[at].console == console), None)
        if last is not None and not fresh and starts[last].kind == kind and stage not in starts[last].stages:
            stages = {**starts[last].stages, stage: each.value}
            starts[last] = BoardStart(kind=kind, console=console, stages=stages)
        elif len(starts) < MOST:
            starts.append(BoardStart(kind=kind, console=console, stages={stage: each.value}))


def fold(events: Iterable[Event]) -> RunResult:
    """Return what came of a run, from its events."""
    folder = Fold()
    for event in events:
        folder.hear(event)
    return folder.result


def exit_code(result: RunResult, options: Verdicts, *, signal: int = 0, refused: bool = False) -> int:
    """Return the exit code of a run (language.md, section 5). `signal`: what interrupted it."""
    if signal:
        return 128 + signal
    outcomes = {case.outcome for case in result.cases}
    if _failed(outcomes, options):
        return FAILED
    if not outcomes & _EXECUTED and not refused and not outcomes - {Outcome.SKIPPED}:
        return _empty(result, options)
    if outcomes & {Outcome.ERROR, Outcome.CANCELLED} or (Outcome.BLOCKED in outcomes and not refused):
        return LAB
    if refused:
        return NO_BENCH
    return CLEAN_UP if result.clean_up else OK


def _failed(outcomes: set[Outcome], options: Verdicts) -> bool:
    return bool(
        outcomes & {Outcome.FAILED, Outcome.XPASSED}
        or (options.strict_flaky and Outcome.FLAKY in outcomes)
        or (options.fail_on_skip and Outcome.SKIPPED in outcomes)
    )


def _empty(result: RunResult, options: Verdicts) -> int:
    if options.allow_empty:
        return CLEAN_UP if result.clean_up else OK
    return INPUT
