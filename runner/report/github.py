"""Annotations on the recipe's lines in GitHub Actions (documentation, "Workflow commands")."""

from __future__ import annotations

from typing import TextIO

from runner.agent.calls import ConsoleBytes
from runner.result import Event, Logged, Problem, StepFinished


class Github:
    """Prints ``::error file=…,line=…`` for each problem of a step."""

    def __init__(self, stream: TextIO) -> None:
        """Print to a stream."""
        self._stream = stream

    def hear(self, event: Event) -> None:
        """Print an annotation for a step that did not pass."""
        match event:
            case StepFinished(problem=Problem() as problem) if not event.outcome.good and not event.ignored:
                self._say("error", problem.at or event.at, event.name, problem.message)
            case Logged(level="warning"):
                self._say("warning", "", event.bench, event.text)
            case _:
                pass

    def console(self, chunk: ConsoleBytes) -> None:
        """Leave console bytes to others."""

    def close(self) -> None:
        """Flush the stream."""
        self._stream.flush()

    def _say(self, kind: str, at: str, title: str, message: str) -> None:
        path, _, place = at.rpartition(":") if at.count(":") < 2 else at.rsplit(":", 1)[0].rpartition(":")
        where = f"file={_escaped(path, extra=True)},line={place}," if path and place.isdigit() else ""
        self._stream.write(f"::{kind} {where}title={_escaped(title, extra=True)}::{_escaped(message)}\n")


def _escaped(text: str, *, extra: bool = False) -> str:
    for character, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        text = text.replace(character, code)
    return text.replace(":", "%3A").replace(",", "%2C") if extra else text
