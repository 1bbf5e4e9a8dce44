"""Annotations on the recipe's lines in GitHub Actions (documentation, "Workflow commands")."""

from __future__ import annotations

import re
from typing import TextIO, assert_never

from runner.agent.calls import ConsoleBytes
from runner.report.characters import shown
from runner.report.output import Output
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
    Progress,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
)

_PLACE = re.compile(r"(?P<path>.+?):(?P<line>\d+)(?::(?P<column>\d+))?")


class Github:
    """Prints ``::error file=…,line=…`` for each bad case: GitHub shows ten of a job, so not for each step."""

    def __init__(self, stream: TextIO) -> None:
        """Print to a stream."""
        self._output = Output(stream)
        self._said: set[tuple[str, str]] = set()

    def hear(self, event: Event) -> None:
        """Print an annotation for what did not pass."""
        match event:
            case CaseFinished():
                self._case(event)
            case BenchLost():
                self._say("error", event.problem.at, f"bench {event.bench} lost", event.problem.message)
            case PlayFinished():
                for problem in event.problems:
                    self._say("error", problem.at, f"clean-up of {event.play}", problem.message)
            case Logged():
                if event.level == "warning":
                    self._say("warning", "", event.bench or "runner", event.text)
            case (
                RunStarted() | RunFinished() | PlayStarted() | BenchTaken() | BenchReleased() | CaseStarted()
            ):
                pass
            case DeviceOpened() | StepStarted() | StepFinished() | Progress() | ArtifactSaved():
                pass
            case _:
                assert_never(event)

    def console(self, chunk: ConsoleBytes) -> None:
        """Leave console bytes to others."""

    def close(self) -> None:
        """Nothing is left to print."""

    def _case(self, case: CaseFinished) -> None:
        if case.outcome is Outcome.FLAKY:
            first = case.attempts[0].problem.message if case.attempts else case.outcome.word
            self._say("warning", case.at, case.case, f"{case.reason or 'flaky'}: {first}")
        elif not case.outcome.good:
            problem = case.problem
            message = problem.message if problem is not None else case.reason or case.outcome.word
            self._say("error", (problem.at if problem is not None else "") or case.at, case.case, message)

    def _say(self, kind: str, at: str, title: str, message: str) -> None:
        """Print it once for each place: a failed set-up blocks many cases with the same words."""
        if (at, message) in self._said:
            return
        self._said.add((at, message))
        found = _PLACE.fullmatch(at)
        place = {"file": found["path"], "line": found["line"], "col": found["column"]} if found else {}
        said = {**place, "title": title}
        values = ",".join(f"{name}={_escaped(value, extra=True)}" for name, value in said.items() if value)
        self._output.say(f"::{kind} {values}::{_escaped(message)}")


def _escaped(text: str, *, extra: bool = False) -> str:
    for character, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        text = text.replace(character, code)
    return shown(text.replace(":", "%3A").replace(",", "%2C") if extra else text)
