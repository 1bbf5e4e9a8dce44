"""What is heard of a running module becomes events."""

from __future__ import annotations

from pathlib import Path
from typing import assert_never

from runner.agent.calls import (
    Advanced,
    Alarm,
    ConsoleBytes,
    Heard,
    Listening,
    Noted,
    Opened,
    Piece,
    Question,
    Said,
    Saved,
    Saving,
    Switched,
    TakenAway,
    Typed,
    Waiting,
)
from runner.api.context import Level
from runner.api.values import Size
from runner.api.verdicts import LabError
from runner.engine.alarms import sentence
from runner.engine.arriving import Arriving
from runner.engine.run import Run
from runner.result import ArtifactSaved, DeviceOpened, Logged, Measured, Progress

_PROGRESS_EVERY = 0.1


class Ear:
    """Listens for one step; keeps the numbers that its module measures."""

    def __init__(self, run: Run, *, bench: str, case: str, step: str) -> None:
        """Listen on behalf of a step."""
        self._run = run
        self._bench = bench
        self._case = case
        self._step = step
        self._progressed = 0.0
        self.measures: list[Measured] = []
        self._lasting: list[Measured] = []
        self._arriving: Arriving | None = None
        self.targets: frozenset[str] = frozenset()
        """The files of this machine that the step may write."""

    def begin_again(self) -> None:
        """Forget what an earlier attempt has measured, but not what the board has shown."""
        self.close()
        self.measures[:] = self._lasting

    def say(self, text: str, level: Level = "info") -> None:
        """Say something about this step."""
        journal = self._run.journal
        journal.tell(
            Logged(t=journal.now, text=text, level=level, bench=self._bench, case=self._case, step=self._step)
        )

    def hear(self, heard: Heard) -> None:  # noqa: C901 - one branch for each kind
        """Turn what was heard into an event."""
        match heard:
            case Said():
                self.say(heard.text, heard.level)  # type: ignore[arg-type]
            case Advanced():
                self._advance(heard)
            case Noted():
                self.measures.append(Measured(name=heard.name, value=heard.value, unit=heard.unit))
                self._lasting += [self.measures[-1]] if heard.lasting else []
            case Saving() | Piece() | Saved():
                self._take_file(heard)
            case Opened():
                journal = self._run.journal
                journal.tell(
                    DeviceOpened(
                        t=journal.now,
                        bench=heard.bench,
                        device=heard.device,
                        driver=heard.driver,
                        seconds=heard.seconds,
                    )
                )
            case Waiting():
                place = f", place {heard.place} of {heard.queue} in the queue" if heard.queue > 1 else ""
                self.say(f"bench {heard.bench} is held by {heard.holder}; waiting{place}")
            case TakenAway():
                self._lose(heard)
            case ConsoleBytes():
                self._run.journal.console(heard)
            case Alarm():
                self._take(heard)
            case Listening() | Typed() | Switched() | Question():
                pass  # they are for the recording, which has heard them by now, or for the attendant
            case _:
                assert_never(heard)

    def _lose(self, away: TakenAway) -> None:
        self._run.away.hear(away)
        journal = self._run.journal
        journal.tell(Logged(t=journal.now, text=away.why, level="error", bench=away.bench))

    def _take(self, alarm: Alarm) -> None:
        self._run.alarms.hear(alarm)
        if alarm.state == "nothing" and alarm.name:
            text = f"{sentence(alarm)}; it does not count: {alarm.why}"
            journal = self._run.journal
            journal.tell(Logged(t=journal.now, text=text, level="warning", bench=alarm.bench))

    def _advance(self, heard: Advanced) -> None:
        now = self._run.clock.now()
        if now - self._progressed < _PROGRESS_EVERY and heard.done != heard.total:
            return
        self._progressed = now
        journal = self._run.journal
        journal.tell(
            Progress(
                t=journal.now,
                step=self._step,
                bench=self._bench,
                case=self._case,
                done=heard.done,
                total=heard.total,
                unit=heard.unit,
            )
        )

    def _take_file(self, heard: Saving | Piece | Saved) -> None:
        if isinstance(heard, Saving):
            self._begin_file(heard)
        else:
            self._go_on(heard)

    def _begin_file(self, saving: Saving) -> None:
        """Begin to write a file that comes; raise LabError for one that nobody has asked for."""
        if self._arriving is not None:
            raise LabError(f"{saving.name} comes amid {self._arriving.path.name}")
        if saving.target and saving.target not in self.targets:
            raise LabError(f"the agent wants to write {saving.target}, which no argument of the step names")
        path = Path(saving.target or Path(self._run.options.folder) / self._artifact(saving.name))
        self._arriving = Arriving(path if self._step or saving.target else free(path), saving)

    def _go_on(self, heard: Piece | Saved) -> None:
        """Write more of the file that comes, or end it."""
        arriving = self._arriving
        if arriving is None:
            raise LabError("a piece came of a file that nobody has announced")
        if isinstance(heard, Piece):
            arriving.add(heard.data)
            self._advance(Advanced(done=arriving.done, total=arriving.total))
            return
        arriving.finish(heard.sha256)
        self._arriving = None
        if str(arriving.path) in self.targets:
            self.say(f"wrote {arriving.path} ({Size(heard.size)})")
            return
        journal = self._run.journal
        path = str(arriving.path.relative_to(self._run.options.folder))
        journal.tell(
            ArtifactSaved(t=journal.now, path=path, bench=self._bench, case=self._case, step=self._step)
        )

    def close(self) -> None:
        """Drop a file that did not come to its end, and say so."""
        if self._arriving is not None:
            arriving, self._arriving = self._arriving, None
            self.say(arriving.discard(), "warning")

    def _artifact(self, name: str) -> Path:
        plain = "".join(each if each.isalnum() or each in "._-" else "_" for each in name).lstrip(".")
        return Path("artifacts") / self._bench / (plain or "artifact")


def free(path: Path) -> Path:
    """Return this path, or with a number the first one that is not there: an instrument of each play has one.

    >>> free(Path("/nowhere/can0.asc"))
    PosixPath('/nowhere/can0.asc')
    """
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return found
