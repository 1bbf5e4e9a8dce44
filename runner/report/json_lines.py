"""Events on standard output, a JSON object a line: ``-o json``."""

from __future__ import annotations

from typing import TextIO

from runner.agent.calls import ConsoleBytes
from runner.events import line
from runner.report.output import Output
from runner.result import Event


class JsonLines:
    """Prints each event as it comes."""

    def __init__(self, stream: TextIO) -> None:
        """Print to a stream."""
        self._output = Output(stream)

    def hear(self, event: Event) -> None:
        """Print an event."""
        self._output.say(line(event).decode().rstrip("\n"))

    def console(self, chunk: ConsoleBytes) -> None:
        """Leave console bytes to their own files."""

    def close(self) -> None:
        """Nothing is left to print."""
