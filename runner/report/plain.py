"""The run as plain lines: for CI, for files, and above the live view of a terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TextIO, assert_never

from runner.agent.calls import ConsoleBytes
from runner.api.values import Duration
from runner.fold import RunResult
from runner.report import problem, summary
from runner.report.characters import shown
from runner.report.colours import Paint
from runner.report.console_lines import ConsoleLines
from runner.report.output import Output
from runner.report.running import Key, Running, progress_text
from runner.report.testcase import measured_text
from runner.result import (
    ArtifactSaved,
    BenchLost,
    BenchReleased,
    BenchTaken,
    CaseFinished,
    CaseStarted,
    DeviceOpened,
    Event,
    Logged,
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

BEAT = 10.0
"""Seconds between two lines about a step that takes its time."""
STEPS, LOGS, TRACES = 1, 2, 3


class Plain:
    """A line for each finished case, a block for each problem; more with ``-v``."""

    def __init__(
        self,
        stream: TextIO,
        paint: Paint,
        result: RunResult,
        *,
        verbose: int,
        console: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Print to a stream; in the end a summary of `result`, which others keep up to date."""
        self.running = Running(clock)
        self._output = Output(stream)
        self._paint = paint
        self._verbose = verbose
        self._lines = ConsoleLines() if console else None
        self._clock = clock
        self._lock = threading.Lock()
        self._result = result
        self._spoken: dict[Key, float] = {}
        self._told: dict[tuple[str, str], Problem] = {}
        self._blocked: dict[str, str] = {}

    def hear(self, event: Event) -> None:
        """Print what an event means to a person."""
        with self._lock:
            self.running.hear(event)
            self._show(event)

    def console(self, chunk: ConsoleBytes) -> None:
        """Print the lines of a console, when that is wanted."""
        if self._lines is not None:
            with self._lock:
                for prefix, line in self._lines.add(chunk):
                    self._say(f"{self._paint('dim', prefix)} {shown(line)}")

    def beat(self) -> None:
        """Print how far each step is that runs for long and has not been heard of lately."""
        with self._lock:
            now = self._clock()
            steps = self.running.innermost()
            self._spoken = {key: self._spoken[key] for key, _ in steps if key in self._spoken}
            for key, step in steps:
                if now - self._spoken.get(key, step.began) < BEAT:
                    continue
                self._spoken[key] = now
                far = f"  {progress_text(step.first, step.last)}" if step.first and step.last else ""
                since = Duration(round(now - step.began))
                self._say(self._paint("dim", f"  … {step.bench}: {step.name}  {since}{far}"))

    def close(self) -> None:
        """Print what the consoles did not end."""
        with self._lock:
            self._end_lines()

    def _end_lines(self) -> None:
        for prefix, line in self._lines.rest() if self._lines is not None else ():
            self._say(f"{self._paint('dim', prefix)} {shown(line)}")

    def _show(self, event: Event) -> None:  # noqa: C901, PLR0912 - one branch for each kind of event
        match event:
            case StepStarted():
                if self._verbose >= STEPS:
                    self._say(self._paint("dim", f"{'  ' * event.depth}  … {event.bench}: {event.name}"))
            case StepFinished():
                self._step(event)
            case RunStarted():
                self._say(self._paint("dim", f"run {event.run}: {', '.join(event.recipes)}"))
            case PlayStarted():
                some = event.take is not None and event.take < len(event.benches)
                benches = (f"{event.take} of " if some else "") + ", ".join(event.benches)
                cases = "1 case" if event.cases == 1 else f"{event.cases} cases"
                self._say(f"{self._paint('bold', f'play {event.play}')}  {cases} on {benches}")
            case BenchTaken():
                self._taken(event)
            case BenchLost():
                self._say(f"{self._paint('magenta', 'bench lost')} {event.bench}")
                self._problem(event.problem)
            case CaseStarted():
                self._told.pop((event.bench, event.case), None)
                if event.attempt > 1:
                    self._say(self._paint("yellow", f"again     {event.case}  attempt {event.attempt}"))
            case Logged():
                self._logged(event)
            case CaseFinished():
                self._case(event)
            case RunFinished():
                self._end_lines()
                self._say(summary.text(self._result, self._paint))
            case ArtifactSaved():
                if self._verbose >= STEPS:
                    self._say(self._paint("dim", f"    saved {event.path}"))
            case DeviceOpened():
                if self._verbose >= LOGS:
                    opened = f"{event.bench}: {event.device} ({event.driver}) opened in {event.seconds:.2f} s"
                    self._say(self._paint("dim", f"    {opened}"))
            case Progress() | BenchReleased() | PlayFinished():
                pass  # the first is told by `beat`, the problems of the others by the summary
            case _:
                assert_never(event)

    def _say(self, text: str) -> None:
        self._output.say(shown(text, coloured=self._paint.on))

    def _taken(self, event: BenchTaken) -> None:
        kind = " (simulated)" if event.simulated else ""
        waited = f", waited {event.waited:.0f} s" if event.waited >= 1 else ""
        self._say(self._paint("dim", f"bench {event.bench} on {event.host}{kind}{waited}"))

    def _step(self, event: StepFinished) -> None:
        bad = not event.outcome.good and not event.ignored
        if bad or self._verbose >= STEPS:
            word = self._paint.outcome(event.outcome, "ignored" if event.ignored else event.outcome.word)
            reason = f"  ({event.reason})" if event.reason else ""
            indent = "  " * event.depth
            self._say(f"{indent}  {word} {event.bench}: {event.name}  {event.seconds:.2f} s{reason}")
        for each in event.measures:
            if each.verdict != "pass" or self._verbose >= STEPS:
                colour = {"pass": "dim", "marginal": "yellow", "fail": "red"}[each.verdict]
                self._say(self._paint(colour, f"      {measured_text(each)}"))
        if event.problem is not None and (bad or self._verbose >= STEPS):
            self._problem_once(event, event.problem)

    def _problem_once(self, event: StepFinished | CaseFinished, found: Problem) -> None:
        """Print a problem, but not for each of the blocks around the step that had it."""
        key = (event.bench, event.case)
        if self._told.get(key) != found:
            self._told[key] = found
            self._problem(found)

    def _problem(self, found: Problem) -> None:
        text = list(problem.lines(found, traceback=self._verbose >= TRACES))
        if found.traceback and self._verbose < TRACES:
            text.append("  (the traceback: -vvv, and in events.jsonl)")
        for number, line in enumerate(text):
            self._say(f"      {self._paint('red', line) if number == 0 else line}")

    def _logged(self, event: Logged) -> None:
        if event.level == "debug" and self._verbose < LOGS:
            return
        colour = {"error": "red", "warning": "yellow"}.get(event.level, "dim")
        where = f"{event.bench}: " if event.bench else ""
        self._say(f"    {self._paint(colour, event.level)} {where}{event.text}")

    def _said_once(self, bench: str, reason: str) -> str:
        """Return why a bench's case is blocked, or that it is as with the last one."""
        before, self._blocked[bench] = self._blocked.get(bench), reason
        return "the same" if before == reason else reason

    def _case(self, event: CaseFinished) -> None:
        said_before = event.outcome in {Outcome.BLOCKED, Outcome.CANCELLED}
        reason = event.problem.message if event.problem is not None and said_before else event.reason
        word = self._paint.outcome(event.outcome, event.outcome.word.ljust(9))
        if event.outcome is Outcome.BLOCKED:
            reason = self._said_once(event.bench, reason)
        self._say(f"{word} {event.case}  {event.seconds:.2f} s" + (f"  ({reason})" if reason else ""))
        if event.problem is not None and not said_before:
            self._problem_once(event, event.problem)
        self._told.pop((event.bench, event.case), None)
