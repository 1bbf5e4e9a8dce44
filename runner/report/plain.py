"""The run as plain lines: for CI, for files, and under the live view of a terminal."""

from __future__ import annotations

import time
from typing import TextIO

from runner.agent.calls import ConsoleBytes
from runner.fold import Fold
from runner.report import problem, summary
from runner.report.colours import Paint
from runner.result import (
    BenchLost,
    BenchReleased,
    BenchTaken,
    CaseFinished,
    CaseStarted,
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

_PROGRESS_EVERY = 10.0
STEPS, LOGS, TRACES = 1, 2, 3


class Plain:
    """A line for each finished case, a block for each problem; more with ``-v``."""

    def __init__(self, stream: TextIO, paint: Paint, *, verbose: int, console: bool) -> None:
        """Print to a stream."""
        self._stream = stream
        self._paint = paint
        self._verbose = verbose
        self._console = console
        self._fold = Fold()
        self._progressed: dict[str, float] = {}
        self._partial: dict[tuple[str, str], bytes] = {}

    def hear(self, event: Event) -> None:  # noqa: C901, PLR0912 - one branch for each kind of event
        """Print what an event means to a person."""
        self._fold.hear(event)
        match event:
            case RunStarted():
                self._say(self._paint("dim", f"run {event.run}: {', '.join(event.recipes)}"))
            case PlayStarted():
                self._say(
                    self._paint("bold", f"play {event.play}")
                    + f"  {event.cases} cases on {', '.join(event.benches)}"
                )
            case BenchTaken():
                self._taken(event)
            case BenchLost():
                self._say(f"{self._paint('magenta', 'bench lost')} {event.bench}")
                self._problem(event.problem)
            case CaseStarted() if event.attempt > 1:
                self._say(self._paint("yellow", f"again   {event.case} (attempt {event.attempt})"))
            case StepStarted() if self._verbose >= STEPS:
                self._say(self._paint("dim", f"{'  ' * event.depth}  … {event.bench}: {event.name}"))
            case StepFinished():
                self._step(event)
            case Progress():
                self._progress(event)
            case Logged():
                self._logged(event)
            case CaseFinished():
                self._case(event)
            case BenchReleased() if event.problem is not None:
                self._say(f"{self._paint('magenta', 'release')} {event.bench}")
                self._problem(event.problem)
            case PlayFinished() if event.problems:
                for each in event.problems:
                    self._say(f"{self._paint('magenta', 'clean-up')} {each.message}")
            case RunFinished():
                self._say(summary.text(self._fold.result, self._paint))
            case _:
                pass

    def console(self, chunk: ConsoleBytes) -> None:
        """Print the lines of a console, each with its bench and time, when that is wanted."""
        if not self._console:
            return
        key = (chunk.bench, chunk.device)
        *lines, self._partial[key] = (self._partial.get(key, b"") + chunk.data).split(b"\n")
        stamp = time.strftime("%H:%M:%S", time.localtime(chunk.wall_ns / 1e9))
        for each in lines:
            text = _shown(each.decode("utf-8", "backslashreplace"))
            self._say(f"{self._paint('dim', f'{stamp} {chunk.bench} |')} {text}")
        if chunk.gap:
            self._say(self._paint("yellow", f"{stamp} {chunk.bench} | (console {chunk.device}: {chunk.gap})"))

    def close(self) -> None:
        """Flush the stream."""
        self._stream.flush()

    def _say(self, text: str) -> None:
        print(text, file=self._stream, flush=True)

    def _taken(self, event: BenchTaken) -> None:
        kind = " (simulated)" if event.simulated else ""
        waited = f", waited {event.waited:.0f} s" if event.waited >= 1 else ""
        self._say(self._paint("dim", f"bench {event.bench} on {event.host}{kind}{waited}"))

    def _step(self, event: StepFinished) -> None:
        shown = self._verbose >= STEPS or (not event.outcome.good and not event.ignored)
        if not shown:
            return
        word = self._paint.outcome(event.outcome, "ignored" if event.ignored else event.outcome.word)
        reason = f"  ({event.reason})" if event.reason else ""
        self._say(
            f"{'  ' * event.depth}  {word:<8} {event.bench}: {event.name}  {event.seconds:.2f} s{reason}"
        )
        for each in event.measures:
            unit = f" {each.unit}" if each.unit else ""
            colour = {"pass": "dim", "marginal": "yellow", "fail": "red"}[each.verdict]
            self._say(self._paint(colour, f"      {each.name} = {each.value:g}{unit} [{each.verdict}]"))
        if event.problem is not None and not event.outcome.good:
            self._problem(event.problem)

    def _problem(self, found: Problem) -> None:
        text = list(problem.lines(found))
        if found.traceback and self._verbose < TRACES:
            text = text[: len(text) - len(found.traceback.rstrip().splitlines())]
            text.append("  (the traceback: -vvv, and in events.jsonl)")
        for number, line in enumerate(text):
            self._say(f"      {self._paint('red', line) if number == 0 else line}")

    def _progress(self, event: Progress) -> None:
        if event.t - self._progressed.setdefault(event.step, event.t) < _PROGRESS_EVERY:
            return
        self._progressed[event.step] = event.t
        part = f"{100 * event.done / event.total:.0f} %" if event.total else ""
        self._say(f"    {event.bench}: {event.done:g} {event.unit} {part}".rstrip())

    def _logged(self, event: Logged) -> None:
        if (
            event.level in {"warning", "error"}
            or self._verbose >= LOGS
            or (event.level == "info" and event.step)
        ):
            colour = {"error": "red", "warning": "yellow"}.get(event.level, "dim")
            where = f"{event.bench}: " if event.bench else ""
            self._say(f"    {self._paint(colour, event.level)} {where}{event.text}")

    def _case(self, event: CaseFinished) -> None:
        reason = f"  ({event.reason})" if event.reason else ""
        word = self._paint.outcome(event.outcome, event.outcome.word.ljust(9))
        self._say(f"{word} {event.case}  {event.seconds:.2f} s{reason}")
        if event.outcome in {Outcome.BLOCKED, Outcome.XPASSED} and event.problem is not None:
            self._problem(event.problem)


def _shown(text: str) -> str:
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in text.rstrip("\r"))
