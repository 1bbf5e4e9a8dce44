"""Plays a play on one bench, from taking it to giving it back."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Sequence

from runner.agent.calls import Release
from runner.api.verdicts import Verdict
from runner.connect.link import Crash
from runner.engine.alarms import failure
from runner.engine.body import BenchPlayer
from runner.engine.cancel import Cancellation, Deadline
from runner.engine.case import CasePlayer
from runner.engine.end import PASSED, End
from runner.engine.frame import Frame
from runner.engine.heard import Ear
from runner.engine.limits import CLEAN_UP, DEFAULT_RUN
from runner.engine.lockstep import Lockstep
from runner.engine.plan import PlannedPlay
from runner.engine.run import Run
from runner.engine.scope import Scope
from runner.engine.source import Source
from runner.engine.verdict import end_of
from runner.model import Step
from runner.result import BenchLost, BenchReleased, BenchTaken, Outcome, Phase, Problem
from runner.template import RenderError

_REFUSED = frozenset({"holder", "quarantine", "policy"})
"""What the evidence has of why a bench was refused (`locks`, `quarantine`, `policy` of `runner.agent`)."""


class BenchRun:
    """One bench in one play."""

    def __init__(
        self, run: Run, planned: PlannedPlay, player: BenchPlayer, source: Source, lockstep: Lockstep | None
    ) -> None:
        """Get ready; nothing is touched before `take` or `play`."""
        self._run = run
        self._planned = planned
        self._player = player
        self._source = source
        self._lockstep = lockstep
        self._cancel = Cancellation(run.cancel)
        self._taken = False
        self._waited = 0.0
        self._why_not: Verdict | Crash | None = None
        self._skipped = False
        self._names: Scope = player.bench.names
        self._closing = contextlib.ExitStack()
        self.problems: list[Problem] = []
        """Of the play's teardown and of giving the bench back."""
        self.refused = False
        """True when somebody else held the bench for too long, or it is in quarantine."""

    @property
    def name(self) -> str:
        """Return the bench's name."""
        return self._player.bench.name

    def secure(self, wait: float, cancel: Cancellation | None = None) -> bool:
        """Take the bench ahead of `play`; tell whether it is ours. Why not, `play` will say."""
        try:
            self._take(wait, cancel or self._cancel)
        except (Verdict, Crash) as error:
            self._why_not = error
        return self._taken

    def let_go(self) -> None:
        """Give back a bench that was secured, and that is not to be played on after all."""
        if self._taken:
            self._taken = False
            self._unlock()

    def _take(self, wait: float, cancel: Cancellation) -> None:
        """Make the bench ours; raise LabError when its host or the bench cannot be had in `wait` seconds."""
        bench = self._player.bench
        ear = Ear(self._run, bench=bench.name, case="", step="")
        asked = self._run.journal.now
        self._run.away.watch(bench.name, self._cancel)
        bench.take(self._run.options.run, wait, ear.hear, cancel)
        self._waited = self._run.journal.now - asked
        self._taken = True

    def _tell_taken(self) -> None:
        bench, journal = self._player.bench, self._run.journal
        journal.tell(
            BenchTaken(
                t=journal.now,
                play=self._planned.play.name,
                bench=bench.name,
                host=bench.planned.bench.host.name,
                devices=bench.planned.drivers,
                simulated=bench.planned.simulated,
                waited=round(self._waited, 3),
            )
        )

    def play(self, wait: float) -> None:
        """Take the bench unless it is ours, play every case, and give it back whatever happened."""
        cases = CasePlayer(self._run, self._planned, self._player, self._cancel, self._limit(), self._closing)
        self._names = self._player.bench.names.child()
        try:
            problem = self._not_meant(cases) or self._made_ready(wait)
            if self._skipped:
                return
            if problem is not None:
                self._block(cases, problem)
                return
            setup = self._phase("setup", self._planned.play.setup)
            if setup.good:
                self._cases(cases, self._names)
            else:
                self._block(cases, _because(setup, "the play's setup did not pass"))
        finally:
            self._give_back()
            self._cancel.close()

    def _not_meant(self, cases: CasePlayer) -> Problem | None:
        """Skip every case when the play's ``when`` does not hold on this bench; say what is wrong with it."""
        when = self._planned.play.when
        if when is None:
            return None
        try:
            judged = self._run.templates.judge(when, self._names)
        except RenderError as error:
            return end_of(error, at=str(when.at), console="").problem
        if not judged.holds:
            self._skipped = True
            for _place, case in self._source.cases():
                cases.skip(case, f"when of the play: {judged}")
        return None

    def _limit(self) -> Deadline:
        seconds = self._planned.play.timeout.run or DEFAULT_RUN
        return Deadline.after(seconds, f"the play's timeout for the run of {seconds}", self._run.clock)

    def _made_ready(self, wait: float) -> Problem | None:
        try:
            if self._why_not is not None and not self._taken:
                raise self._why_not
            if not self._taken:
                self._take(wait, self._cancel)
        except (Verdict, Crash) as error:
            self.refused = isinstance(error, Verdict) and not _REFUSED.isdisjoint(error.evidence)
            return self._lost(end_of(error, at="", console=""))
        self._tell_taken()
        acquired = self._phase("acquire", self._player.bench.planned.on_acquire)
        return None if acquired.good else self._lost(acquired)

    def _lost(self, end: End) -> Problem:
        problem = end.problem or Problem(message=end.outcome.word)
        journal = self._run.journal
        journal.tell(BenchLost(t=journal.now, play=self._planned.play.name, bench=self.name, problem=problem))
        return problem

    def _phase(self, phase: Phase, steps: Sequence[Step]) -> End:
        if not steps:
            return PASSED
        return self._player.scope(steps, self._frame(phase, self._cancel, self._limit()))

    def _frame(self, phase: Phase, cancel: Cancellation, limit: Deadline) -> Frame:
        return Frame(
            names=self._names,
            home=self._names,
            cancel=cancel,
            deadline=limit,
            phase=phase,
            closing=self._closing,
        )

    def _cases(self, cases: CasePlayer, names: Scope) -> None:
        stop = ""
        for place, case in self._source.cases():
            if self._lockstep is not None:
                self._lockstep.enter(self.name, place)
            away = self._run.away.error(self.name)
            cause = self._cancel.cause or self._source.stopped
            lost = self._player.bench.quarantined or self._player.bench.link_lost()
            if away is not None:
                cases.block(case, Problem(message=away.message, kind=away.kind, blame="lab", hint=away.hint))
            elif cause:
                cases.cancel(case, cause)
            elif lost:
                kind = "device_error" if self._player.bench.quarantined else "unreachable"
                cases.block(case, Problem(message=lost, kind=kind, blame="lab"))
            elif stop:
                cases.skip(case, stop)
            else:
                outcome = cases.play(case, names)
                stop = self._after(case.id(self.name), outcome)
        if self._lockstep is not None:
            self._lockstep.enter(self.name, 1_000_000_000)

    def _after(self, case: str, outcome: Outcome) -> str:
        if outcome.good:
            return ""
        options = self._run.options
        if options.fail_fast or options.until_fail:
            flag = "--fail-fast" if options.fail_fast else "--until-fail"
            self._source.stopped = f"{flag}: {case} {outcome.word}"
        return "an earlier step did not pass" if self._planned.play.chained else ""

    def _block(self, cases: CasePlayer, problem: Problem) -> None:
        for _place, case in self._source.cases():
            if self._cancel.cause is not None and self._run.away.error(self.name) is None:
                cases.cancel(case, self._cancel.cause)
            else:
                cases.block(case, dataclasses.replace(problem, evidence={}))

    def _give_back(self) -> None:
        if self._taken and self._skipped:
            self.let_go()
        elif self._taken:
            self._clean_up("teardown", self._planned.play.teardown)
            self._closing.close()
            if self._run.away.error(self.name) is None:  # else its host has done that
                self._clean_up("release", self._player.bench.planned.on_release)
            self._release()
            self._tell_alarms()
        if self._lockstep is not None:
            self._lockstep.leave(self.name)

    def _tell_alarms(self) -> None:
        """Make problems of what the consoles said when no step was left to be failed by it."""
        for alarm in self._run.alarms.left_over(self.name):
            late = end_of(failure(alarm, before=False), at="", console="").problem
            if late is not None:
                self.problems.append(
                    dataclasses.replace(late, message=f"{late.message}, after the last step")
                )

    def _clean_up(self, phase: Phase, steps: Sequence[Step]) -> None:
        if not steps:
            return
        limit = Deadline.after(CLEAN_UP, f"the limit for clean-up of {CLEAN_UP}", self._run.clock)
        frame = dataclasses.replace(self._frame(phase, self._run.abort, limit), clean_up=True)
        end = self._player.every(steps, frame)
        if not end.good:
            self.problems.append(end.problem or Problem(message=f"{phase} {end.outcome.word}"))

    def _unlock(self) -> Problem | None:
        bench = self._player.bench
        ear = Ear(self._run, bench=bench.name, case="", step="")
        try:
            if bench.touched:
                link = bench.link(ear.hear, self._run.abort)
                link.call(Release(bench=bench.name), ear.hear, cancel=self._run.abort)
        except (Verdict, Crash) as error:
            return end_of(error, at="", console="").problem
        return None

    def _release(self) -> None:
        bench, journal = self._player.bench, self._run.journal
        problem = self._unlock()
        if problem is not None:
            self.problems.append(problem)
        journal.tell(
            BenchReleased(t=journal.now, play=self._planned.play.name, bench=bench.name, problem=problem)
        )


def _because(end: End, why: str) -> Problem:
    problem = end.problem or Problem(message=end.outcome.word)
    return dataclasses.replace(problem, message=f"{why}: {problem.message}")
