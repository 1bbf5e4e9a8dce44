"""Which reports a run gets."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Protocol

from runner.agent.calls import ConsoleBytes
from runner.fold import Fold, RunResult
from runner.report.colours import Paint, in_ci, wanted
from runner.report.files import ConsoleFiles, EventsFile
from runner.report.github import Github
from runner.report.heartbeat import Steady
from runner.report.json_lines import JsonLines
from runner.report.junit import JUnit
from runner.report.rebuild import at_end
from runner.result import Event


class Listener(Protocol):
    """Something that makes a report of what it hears; called by one thread at a time."""

    def hear(self, event: Event) -> None:
        """Take note of an event."""

    def console(self, chunk: ConsoleBytes) -> None:
        """Take note of what a console received."""

    def close(self) -> None:
        """Finish the report; called once."""


class Folder(Protocol):
    """Where the files of a run go."""

    @property
    def path(self) -> Path:
        """The folder."""


def listeners(
    folder: Folder, output: str, *, junit: str | None, console: bool, verbose: int, live: bool = True
) -> list[Listener]:
    """Return the reports of a run: its files, and what a person or a tool reads meanwhile.

    The files come first: what is on the screen is on the disk, too. `live`: whether a
    terminal may be drawn upon; a run that asks a person questions needs it for itself.
    """
    path = folder.path
    junit_file = JUnit(path, junit)
    folded = Fold()
    found: list[Listener] = [
        folded,
        EventsFile(path),
        ConsoleFiles(path),
        junit_file,
        at_end(path, folded.result),
    ]
    if output == "json":
        return [*found, JsonLines(sys.stdout)]
    found.append(_for_people(folded.result, verbose=verbose, console=console, live=live))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        found.append(Github(sys.stdout))
    return found


def _for_people(result: RunResult, *, verbose: int, console: bool, live: bool) -> Listener:
    paint = Paint(on=wanted(sys.stdout))
    if live and sys.stdout.isatty() and not in_ci() and os.environ.get("TERM") != "dumb":
        from runner.report.terminal import Terminal

        return Terminal(sys.stdout, paint, result, verbose=verbose, console=console)
    return Steady(sys.stdout, paint, result, verbose=verbose, console=console)
