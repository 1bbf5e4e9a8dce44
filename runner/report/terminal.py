"""The run on a terminal: the plain lines, and below them what each bench does right now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from runner.api.values import Duration, Size
from runner.report.colours import Paint
from runner.report.plain import Plain
from runner.result import Event, Progress, RunFinished, StepFinished, StepStarted


@dataclass(slots=True)
class _Running:
    """A step that is not over."""

    name: str
    bench: str
    began: float
    progress: Progress | None = None
    progress_began: float = 0.0


class Terminal(Plain):
    """Plain lines that scroll, and a live line for each running step."""

    def __init__(self, stream: TextIO, paint: Paint, *, verbose: int, console: bool) -> None:
        """Take over the last lines of a terminal."""
        super().__init__(stream, paint, verbose=verbose, console=console)
        self._running: dict[tuple[str, str, str], _Running] = {}
        self._spinner = Spinner("dots")
        self._live = Live(
            console=Console(file=stream, highlight=False, soft_wrap=True),
            get_renderable=self._view,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def hear(self, event: Event) -> None:
        """Keep track of what runs, and print what plain lines say."""
        match event:
            case StepStarted():
                key = (event.bench, event.case, event.step)
                self._running[key] = _Running(event.name, event.bench, time.monotonic())
            case StepFinished():
                self._running.pop((event.bench, event.case, event.step), None)
            case Progress():
                self._advance(event)
                return
            case RunFinished():
                self._live.stop()
            case _:
                pass
        super().hear(event)

    def _advance(self, event: Progress) -> None:
        running = self._running.get((event.bench, event.case, event.step))
        if running is not None:
            running.progress_began = running.progress_began or time.monotonic()
            running.progress = event

    def close(self) -> None:
        """Give the terminal back."""
        self._live.stop()
        super().close()

    def _say(self, text: str) -> None:
        self._live.console.print(Text.from_ansi(text))

    def _view(self) -> RenderableType:
        table = Table.grid(padding=(0, 1))
        for running in list(self._running.values()):
            table.add_row(self._spinner, *self._row(running))
        return Group(table)

    def _row(self, running: _Running) -> Iterator[RenderableType]:
        now = time.monotonic()
        yield Text(running.bench, style="bold")
        yield Text(running.name, overflow="ellipsis", no_wrap=True)
        yield Text(f"{now - running.began:.1f} s", style="dim")
        progress = running.progress
        if progress is None:
            return
        if progress.total:
            yield ProgressBar(total=progress.total, completed=progress.done, width=30)
        yield Text(rate(progress, now - running.progress_began), style="cyan")


def rate(progress: Progress, seconds: float) -> str:
    """Say how much, how fast, and how much longer.

    >>> rate(Progress(t=0, step="", bench="", case="", done=50e6, total=100e6), 5)
    '47.68 MiB of 95.37 MiB, 9.537 MiB/s, 5s left'
    """
    if progress.unit != "B":
        total = f" of {progress.total:g}" if progress.total else ""
        return f"{progress.done:g}{total} {progress.unit}"
    said = str(Size(int(progress.done))) + (f" of {Size(int(progress.total))}" if progress.total else "")
    if seconds <= 0 or not progress.done:
        return said
    speed = progress.done / seconds
    said += f", {Size(int(speed))}/s"
    if progress.total and progress.total > progress.done:
        said += f", {Duration(round((progress.total - progress.done) / speed))} left"
    return said
