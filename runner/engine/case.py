"""Plays one case on one bench: set-up, steps, clean-up, attempts, the last word."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from runner.engine.body import BenchPlayer
from runner.engine.cancel import Cancellation, Deadline
from runner.engine.end import PASSED, End, worst
from runner.engine.frame import Frame
from runner.engine.heard import Ear
from runner.engine.limits import CLEAN_UP, DEFAULT_TEST
from runner.engine.plan import Case, PlannedPlay
from runner.engine.recovery import Climb, Recovered
from runner.engine.run import Run
from runner.engine.scope import Scope
from runner.engine.verdict import end_of
from runner.model import Expression, Skip, Test, Xfail
from runner.result import Attempt, CaseFinished, CaseStarted, Outcome, Problem


class CasePlayer:
    """Plays the cases of one play on one bench and remembers how they ended."""

    def __init__(
        self,
        run: Run,
        planned: PlannedPlay,
        player: BenchPlayer,
        cancel: Cancellation,
        limit: Deadline,
        closing: contextlib.ExitStack,
    ) -> None:
        """Play under `cancel` and within `limit`, the play's own; `closing` closes when the play is over."""
        self._run = run
        self._planned = planned
        self._player = player
        self._cancel = cancel
        self._limit = limit
        self._closing = closing
        self._ended: dict[str, Outcome] = {}

    def play(self, case: Case, names: Scope) -> Outcome:
        """Play a case, again when it may be retried, and tell how it ended."""
        self._names = names
        began = self._run.clock.now()
        attempts: list[Attempt] = []
        climb = self._player.climb()
        number = 1
        while True:
            since, started = self._positions(), self._run.clock.now()
            self._start(case, attempt=number)
            end = self._attempt(case, names, attempts)
            if not self._again(case.test, end, number):
                break
            recovered = self._recover(case, climb, end, names)
            if recovered.over:
                end = dataclasses.replace(end, reason=recovered.over)
                break
            attempts.append(
                Attempt(
                    number=number,
                    outcome=end.outcome,
                    problem=end.problem or Problem(message=end.outcome.word),
                    seconds=round(self._run.clock.now() - started, 6),
                    console=self._run.consoles.slices(self._player.bench.name, since),
                    recovery=recovered.done,
                )
            )
            number += 1
        end = _flaky(end, attempts, number)
        self._finish(case, end, began, tuple(attempts), since)
        return end.outcome

    def _positions(self) -> dict[str, int]:
        return self._run.consoles.positions(self._player.bench.name)

    def _recover(self, case: Case, climb: Climb, end: End, names: Scope) -> Recovered:
        """Bring the bench back before the next attempt."""
        id_ = case.id(self._player.bench.name)
        ear = Ear(self._run, bench=self._player.bench.name, case=id_, step="")
        limit = Deadline.after(CLEAN_UP, f"the limit for recovery of {CLEAN_UP}", self._run.clock).nearer(
            self._limit
        )
        frame = Frame(
            names=names, home=names.child(), cancel=self._cancel, deadline=limit, phase="recovery", case=id_
        )
        return climb.up(frame, ear, end)

    def block(self, case: Case, problem: Problem) -> None:
        """Say that a case cannot run."""
        self._start(case, attempt=1)
        end = End(outcome=Outcome.BLOCKED, problem=problem)
        self._finish(case, end, self._run.clock.now(), (), {})

    def skip(self, case: Case, reason: str) -> None:
        """Say that a case is not run."""
        self._start(case, attempt=1)
        self._finish(case, End(outcome=Outcome.SKIPPED, reason=reason), self._run.clock.now(), (), {})

    def cancel(self, case: Case, cause: str) -> None:
        """Say that a case did not get its turn."""
        self._start(case, attempt=1)
        problem = Problem(message=cause, blame="cancelled", at=str(case.test.at))
        self._finish(case, End(outcome=Outcome.CANCELLED, problem=problem), self._run.clock.now(), (), {})

    def _again(self, test: Test, end: End, number: int) -> bool:
        allowed = max(test.retries, self._run.options.retries)
        bench = self._player.bench
        if number > allowed or self._cancel.cause is not None or bench.quarantined or bench.link_lost():
            return False
        return (end.outcome is Outcome.FAILED and "failed" in test.retry_on) or (
            end.outcome is Outcome.ERROR and "error" in test.retry_on
        )

    def _attempt(self, case: Case, names: Scope, attempts: list[Attempt]) -> End:
        test = case.test
        scope = names.child(nodes=test.variables).child(values=case.row)
        try:
            reason = self._skipped(test, scope)
            xfail = self._expected_to_fail(test.xfail, scope)
        except Exception as error:  # noqa: BLE001 - becomes the end of the case, see verdict.py
            return end_of(error, at=str(test.at), console="")
        if reason:
            return End(outcome=Outcome.SKIPPED, reason=reason)
        end = self._steps(case, scope, attempts)
        return _weigh(end, xfail) if xfail is not None else end

    def _steps(self, case: Case, scope: Scope, attempts: list[Attempt]) -> End:
        test = case.test
        seconds = test.timeout or self._planned.play.timeout.test or DEFAULT_TEST
        limit = Deadline.after(seconds, f"the test's timeout of {seconds}", self._run.clock).nearer(
            self._limit
        )
        cancel = Cancellation(self._cancel)
        closing = contextlib.ExitStack()
        frame = Frame(
            names=scope,
            home=self._names if self._planned.play.chained else scope,
            cancel=cancel,
            deadline=limit,
            phase="test",
            case=case.id(self._player.bench.name),
            attempts=attempts,
            closing=self._closing if self._planned.play.chained else closing,
        )
        try:
            end = self._player.scope(test.setup, dataclasses.replace(frame, deferred=[], background={}))
            if end.good and end.outcome is not Outcome.SKIPPED:
                end = self._player.scope(test.steps, frame)
        finally:
            late = self._teardown(test, frame) if test.teardown else PASSED
            closing.close()
            cancel.close()
        return worst((end, late)) if end.good else end

    def _teardown(self, test: Test, frame: Frame) -> End:
        limit = Deadline.after(CLEAN_UP, f"the limit for clean-up of {CLEAN_UP}", self._run.clock)
        return self._player.every(test.teardown, frame.cleaning(self._run.abort, limit))

    def _skipped(self, test: Test, scope: Scope) -> str:
        for name in test.requires:
            ended = self._ended.get(name)
            if ended is not None and ended not in {Outcome.PASSED, Outcome.FLAKY}:
                return f"requires {name!r}, which {_verb(ended)}"
        if test.skip is not None and self._holds(test.skip.when, scope):
            return test.skip.reason
        if test.when is None:
            return ""
        judged = self._run.templates.judge(test.when, scope)
        return "" if judged.holds else f"when: {judged}"

    def _expected_to_fail(self, xfail: Xfail | Skip | None, scope: Scope) -> Xfail | None:
        if not isinstance(xfail, Xfail) or not self._holds(xfail.when, scope):
            return None
        return xfail

    def _holds(self, when: Expression | None, scope: Scope) -> bool:
        return when is None or self._run.templates.judge(when, scope).holds

    def _start(self, case: Case, attempt: int) -> None:
        journal = self._run.journal
        journal.tell(CaseStarted(t=journal.now, attempt=attempt, **self._said(case)))

    def _said(self, case: Case) -> dict[str, Any]:
        bench = self._player.bench.name
        return {
            "case": case.id(bench),
            "play": self._planned.play.name,
            "test": case.test.name,
            "bench": bench,
            "recipe": self._planned.recipe.path,
            "at": str(case.test.at),
            "matrix": dict(case.row),
            "tags": case.test.tags,
            "meta": {**self._planned.play.meta, **case.test.meta},
        }

    def _finish(
        self,
        case: Case,
        end: End,
        began: float,
        attempts: tuple[Attempt, ...],
        positions: Mapping[str, int],
    ) -> None:
        journal = self._run.journal
        bench = self._player.bench
        self._ended[case.test.name] = max(self._ended.get(case.test.name, Outcome.PASSED), end.outcome)
        journal.tell(
            CaseFinished(
                t=journal.now,
                **self._said(case),
                outcome=end.outcome,
                seconds=round(self._run.clock.now() - began, 6),
                problem=end.problem,
                reason=end.reason,
                attempts=attempts,
                console=self._run.consoles.slices(bench.name, dict(positions)),
                simulated=bool(bench.planned.simulated),
            )
        )


def _flaky(end: End, attempts: Sequence[Attempt], number: int) -> End:
    """Return how a case ended, which is never plainly passed when any of it had to be tried again."""
    if number > 1 and end.outcome is Outcome.PASSED:
        return dataclasses.replace(end, outcome=Outcome.FLAKY, reason=f"passed on attempt {number}")
    if attempts and end.outcome is Outcome.FLAKY and not end.reason:
        last = attempts[-1]
        return dataclasses.replace(end, reason=f"{last.step or 'it'} passed on attempt {last.number + 1}")
    return end


def _weigh(end: End, xfail: Xfail) -> End:
    """Judge a case that is expected to fail: by the board, that is; the lab may not."""
    if end.outcome is Outcome.FAILED:
        return End(outcome=Outcome.XFAILED, reason=xfail.reason)
    if end.outcome in {Outcome.PASSED, Outcome.FLAKY} and xfail.strict:
        problem = Problem(
            message=f"passed, but was expected to fail: {xfail.reason}", kind="assertion", blame="board"
        )
        return End(outcome=Outcome.XPASSED, problem=problem)
    return end


def _verb(outcome: Outcome) -> str:
    return {
        Outcome.SKIPPED: "was skipped",
        Outcome.XFAILED: "failed as expected",
        Outcome.BLOCKED: "was blocked",
        Outcome.ERROR: "ended with an error",
        Outcome.CANCELLED: "was cancelled",
    }.get(outcome, "failed")
