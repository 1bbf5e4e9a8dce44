"""Reports that are written once, of the whole run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from runner.agent.calls import ConsoleBytes
from runner.fold import RunResult
from runner.report.atomic import replacing
from runner.result import Event, RunFinished

Render = Callable[[RunResult], Iterable[str]]


class AtEnd:
    """The listener that writes reports when the run ends, or when no more of it is known."""

    def __init__(self, reports: Mapping[Path, Render], result: RunResult) -> None:
        """Write to each path what is made of `result`, which others keep up to date."""
        self._reports = reports
        self._result = result
        self._written = False
        self._problem: OSError | None = None

    def hear(self, event: Event) -> None:
        """Wait for the last event."""
        if isinstance(event, RunFinished):
            self._write()

    def console(self, chunk: ConsoleBytes) -> None:
        """Leave console bytes to their own files."""

    def close(self) -> None:
        """Write what is not written yet; raise OSError when a report could not be."""
        if not self._written:
            self._write()
        if self._problem is not None:
            raise self._problem

    def _write(self) -> None:
        """Write every report: one that cannot be written does not keep the others from it."""
        self._written = True
        for path, render in self._reports.items():
            try:
                with replacing(path) as file:
                    for text in render(self._result):
                        file.write(text.encode("utf-8", "backslashreplace"))
            except OSError as error:
                self._problem = error
