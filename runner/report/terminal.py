"""The run on a terminal: the plain lines, and below them what each bench does right now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TextIO, cast

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from runner.api.values import Duration
from runner.fold import RunResult
from runner.report.characters import shown
from runner.report.colours import Paint
from runner.report.plain import Plain
from runner.report.running import RunningStep, progress_text
from runner.result import CaseFinished, Event, PlayStarted, RunFinished


class Terminal(Plain):
    """Plain lines that scroll, and a live line for each running step."""

    def __init__(
        self, stream: TextIO, paint: Paint, result: RunResult, *, verbose: int, console: bool
    ) -> None:
        """Take over the last lines of a terminal."""
        super().__init__(stream, paint, result, verbose=verbose, console=console)
        self._cases = self._ended = 0
        self._began = time.monotonic()
        self._spinner = Spinner("dots")
        self._live = Live(
            console=Console(
                file=cast("TextIO", self._output), highlight=False, soft_wrap=True, no_color=not paint.on
            ),
            get_renderable=self._view,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def hear(self, event: Event) -> None:
        """Count cases, and print what plain lines say."""
        match event:
            case PlayStarted():
                self._cases += event.cases
            case CaseFinished():
                self._ended += 1
            case RunFinished():
                self._live.stop()
            case _:
                pass  # what the others mean, `Plain` knows
        super().hear(event)

    def close(self) -> None:
        """Give the terminal back."""
        self._live.stop()
        super().close()

    def _say(self, text: str) -> None:
        self._live.console.print(Text.from_ansi(shown(text, coloured=self._paint.on)))

    def _view(self) -> RenderableType:
        now = time.monotonic()
        table = Table.grid(padding=(0, 1))
        for _, step in self.running.innermost():
            table.add_row(self._spinner, *_row(step, now))
        since = Duration(round(now - self._began))
        counted = Text(f"{self._ended} of {self._cases} cases, {since}", style="dim")
        return Group(table, counted) if table.row_count else counted


def _row(step: RunningStep, now: float) -> Iterator[RenderableType]:
    yield Text(step.bench, style="bold")
    yield Text(shown(step.name), overflow="ellipsis", no_wrap=True)
    yield Text(f"{now - step.began:.1f} s", style="dim")
    if step.first is None or step.last is None:
        return
    if step.last.total:
        yield ProgressBar(total=step.last.total, completed=step.last.done, width=30)
    yield Text(progress_text(step.first, step.last), style="cyan")
