"""The live view of a terminal."""

import io
import time

from rich.console import Console
from support.events import STARTED, begun, ended, finished, step_begun, step_ended

from runner.fold import Fold
from runner.report.colours import Paint
from runner.report.running import Running, progress_text
from runner.report.terminal import Terminal
from runner.result import Event, PlayStarted, Progress


class Screen(io.StringIO):
    """A terminal that remembers what was written to it."""

    def isatty(self) -> bool:
        return True


class Watched:
    """A terminal's view of events."""

    def __init__(self) -> None:
        self.screen = Screen()
        self._fold = Fold()
        self.terminal = Terminal(self.screen, Paint(on=False), self._fold.result, verbose=0, console=False)

    def hear(self, *events: Event) -> None:
        for event in events:
            self._fold.hear(event)
            self.terminal.hear(event)

    def view(self) -> list[str]:
        console = Console(file=io.StringIO(), width=140)
        with console.capture() as captured:
            console.print(self.terminal._view())
        return [line.rstrip() for line in captured.get().splitlines()]


def progress(done: float, *, t: float, total: float | None = 100, unit: str = "B") -> Progress:
    return Progress(t=t, step="tests[0].n", bench="b", case="q::t@b", done=done, total=total, unit=unit)


def test_running_steps_have_their_bench_their_time_and_how_far_they_are() -> None:
    watched = Watched()
    watched.hear(PlayStarted(t=0, play="p", recipe="q", benches=("b",), cases=2), begun(), step_begun())
    watched.hear(progress(0, t=0), progress(50, t=5))
    step, counted = watched.view()

    assert "b n 0." in step
    assert "━" in step
    assert step.endswith("50 B of 100 B, 10 B/s, 5s left")
    assert counted.startswith("0 of 2 cases")
    watched.hear(step_ended(), ended())
    assert watched.view()[0].startswith("1 of 2 cases")
    watched.terminal.close()


def test_finished_lines_stay_and_the_live_ones_go() -> None:
    watched = Watched()
    watched.hear(STARTED, begun(), step_begun(), step_ended(), ended(), finished())
    watched.terminal.close()
    text = watched.screen.getvalue()

    assert "passed    q::t@b  0.50 s\n" in text
    assert text.endswith("report: results/r/report.html  junit: results/r/junit.xml\n")
    assert "\x1b[?25h" in text, "the cursor is shown again"


def test_only_the_innermost_steps_are_shown_and_none_of_a_case_that_ended() -> None:
    running = Running(time.monotonic)
    for event in (step_begun("outer"), step_begun("mid", depth=1), step_begun("inner", depth=2)):
        running.hear(event)
    running.hear(step_begun("other", case="q::u@c", bench="c"))

    assert [step.name for _, step in running.innermost()] == ["inner", "other"]
    running.hear(ended())
    assert [step.name for _, step in running.innermost()] == ["other"]


def test_progress_of_a_step_that_is_over_is_not_kept() -> None:
    running = Running(time.monotonic)
    running.hear(progress(1, t=0))

    assert running.innermost() == []


def test_the_time_left_counts_from_what_was_there_at_first() -> None:
    assert progress_text(progress(50, t=0), progress(75, t=5)) == "75 B of 100 B, 5 B/s, 5s left"


def test_without_a_total_or_a_second_report_it_says_what_it_knows() -> None:
    assert progress_text(progress(50, t=0), progress(50, t=0)) == "50 B of 100 B"
    assert progress_text(progress(0, t=0, total=None), progress(50, t=5, total=None)) == "50 B, 10 B/s"
    assert progress_text(progress(0, t=0, unit="frames"), progress(50, t=5, unit="frames")) == (
        "50 of 100 frames, 10/s, 5s left"
    )
    assert progress_text(progress(50, t=0), progress(100, t=5)) == "100 B of 100 B, 10 B/s"
    assert progress_text(progress(50, t=0), progress(40, t=5)) == "40 B of 100 B"
