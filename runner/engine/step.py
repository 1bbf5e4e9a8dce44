"""Plays one step: condition, loop, attempts, verdict. Its body is played by `runner.engine.body`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from runner.api.values import Duration
from runner.api.verdicts import Failed, RecipeFault, Verdict
from runner.document import Node, Scalar
from runner.engine import judge
from runner.engine.alarms import failure
from runner.engine.cancel import Deadline
from runner.engine.end import End
from runner.engine.frame import Frame
from runner.engine.heard import Ear
from runner.engine.recovery import Climb
from runner.engine.run import Run
from runner.engine.scope import Absent, Scope
from runner.engine.shown import brief
from runner.engine.verdict import end_of
from runner.model import Step, Until, Use
from runner.result import Attempt, Outcome, Problem, StepFinished, StepStarted

Body = Callable[[Step, Frame, Ear], End]


class StepPlayer:
    """Plays steps on one bench, whatever they consist of."""

    def __init__(self, run: Run, bench: str, body: Body, climb: Callable[[], Climb]) -> None:
        """Play on `bench`; `body` does what a step says, `climb` brings the bench back between tries."""
        self._run = run
        self._bench = bench
        self._body = body
        self._climb = climb

    def play(self, step: Step, frame: Frame) -> End:
        """Play a step, once or for each item of its loop; tell it as events."""
        names = frame.names.child(nodes=step.variables) if step.variables else frame.names
        if step.loop is None:
            return self._told(step, frame.seeing(names), step.id)
        return self._looped(step, frame, names)

    def _looped(self, step: Step, frame: Frame, names: Scope) -> End:
        results: list[Any] = []
        outcome = Outcome.PASSED
        try:
            items = list(self._items(step, names))
        except Exception as error:  # noqa: BLE001 - becomes the end of the step, see verdict.py
            failed = end_of(error, at=str(step.at), console="")
            return self._told(step, frame, step.id, end=failed)
        if not items:
            reason = "its loop has no items"
            frame.home.set(step.register, Absent(reason)) if step.register else None
            return self._told(step, frame, step.id, end=End(outcome=Outcome.SKIPPED, reason=reason))
        for index, (label, values) in enumerate(items):
            end = self._told(
                step, frame.seeing(names.child(values=values)), f"{step.id}[{index}]", label=label
            )
            results.append(end.result)
            outcome = max(outcome, end.outcome)
            if not end.good:
                return end
        if step.register:
            frame.home.set(step.register, results)
        return End(outcome=outcome, result=results)

    def _items(self, step: Step, names: Scope) -> Iterator[tuple[str, Mapping[str, Any]]]:
        loop = step.loop
        if loop is None:
            return
        over = self._run.templates.render(loop.over, names)
        if isinstance(over, Mapping):
            over = [{"key": key, "value": value} for key, value in over.items()]
        if isinstance(over, (str, bytes)) or not hasattr(over, "__iter__"):
            raise RecipeFault(f"loop needs a list, a mapping or a range, got {over!r}")
        for item in over:
            values = {loop.variable: item}
            label = (
                item
                if loop.label is None
                else self._run.templates.render(loop.label, names.child(values=values))
            )
            yield brief(label, 60), values

    def _told(self, step: Step, frame: Frame, key: str, *, label: str = "", end: End | None = None) -> End:
        journal = self._run.journal
        name = step.name or step.title if step.named is None else self._named(step.named, frame.names)
        said: dict[str, Any] = {
            "step": key,
            "name": f"{name} [{label}]" if label else name,
            "verb": verb_of(step),
            "bench": self._bench,
            "case": frame.case,
            "phase": frame.phase,
            "at": str(step.at),
            "depth": frame.depth,
        }
        journal.tell(StepStarted(t=journal.now, **said))
        began = self._run.clock.now()
        ear = Ear(self._run, bench=self._bench, case=frame.case, step=key)
        attempts = 1
        if end is None:
            end, attempts = self._judged(step, frame, ear)
            ear.close()
        shown = None if step.no_log or end.result is None else brief_result(end.result)
        problem = end.problem
        if problem is not None and step.no_log:
            problem = _hidden(problem)
        journal.tell(
            StepFinished(
                t=journal.now,
                **said,
                outcome=end.outcome,
                seconds=round(self._run.clock.now() - began, 6),
                problem=problem,
                ignored=step.ignore_errors and not end.good and end.outcome is Outcome.FAILED,
                reason=end.reason,
                result=shown,
                measures=tuple(ear.measures),
                attempts=attempts,
            )
        )
        if step.ignore_errors and end.outcome is Outcome.FAILED:
            return dataclasses.replace(end, outcome=Outcome.PASSED)
        return end

    def _named(self, named: Node, names: Scope) -> str:
        """Return a name with its templates filled in; as written when a value is missing."""
        try:
            return str(brief(str(self._run.templates.render(named, names)), 200))
        except Exception:  # noqa: BLE001 - a step that is skipped may lack it; one that runs will say so
            return named.text if isinstance(named, Scalar) else ""

    def _judged(self, step: Step, frame: Frame, ear: Ear) -> tuple[End, int]:
        skipped = self._skipped(step, frame)
        if skipped is not None:
            if step.register:
                frame.home.set(step.register, Absent(f"its step was skipped ({step.at})"))
            return skipped, 1
        if step.until is not None:
            return self._until(step, step.until, frame, ear)
        return self._tries(step, frame, ear)

    def _skipped(self, step: Step, frame: Frame) -> End | None:
        options = self._run.options
        if options.skip_tags and set(step.tags) & set(options.skip_tags):
            return End(outcome=Outcome.SKIPPED, reason="its tag is skipped (--skip-tags)")
        if options.ask is not None and not options.ask(self._bench, step):
            return End(outcome=Outcome.SKIPPED, reason="skipped by hand (--step)")
        if step.when is None:
            return None
        try:
            judged = self._run.templates.judge(step.when, frame.names)
        except Exception as error:  # noqa: BLE001 - becomes the end of the step, see verdict.py
            return end_of(error, at=str(step.at), console="")
        if judged.holds:
            return None
        return End(outcome=Outcome.SKIPPED, reason=f"when: {judged}")

    def _tries(self, step: Step, frame: Frame, ear: Ear) -> tuple[End, int]:
        climb = self._climb()
        attempt = 1
        while True:
            since, began = self._run.consoles.positions(self._bench), self._run.clock.now()
            end = self._try(step, frame, ear)
            if attempt > step.retries or not _retryable(step, end) or frame.cancel.cause is not None:
                break
            bad = _attempt(step, end, attempt, self._run.clock.now() - began)
            ear.say(f"attempt {attempt} of {step.retries + 1}: {bad.problem.message}", "warning")
            recovered = climb.up(frame, ear, end)
            if recovered.over:
                return dataclasses.replace(end, reason=recovered.over), attempt
            self._run.clock.wait(frame.cancel, step.delay)
            console = self._run.consoles.slices(self._bench, since)
            frame.attempts.append(dataclasses.replace(bad, console=console, recovery=recovered.done))
            attempt += 1
        if attempt > 1 and end.outcome is Outcome.PASSED:
            end = dataclasses.replace(end, outcome=Outcome.FLAKY, reason=f"passed on attempt {attempt}")
        return end, attempt

    def _try(self, step: Step, frame: Frame, ear: Ear) -> End:
        ear.begin_again()
        end = self._done(step, frame, ear)
        return self._weighed(step, end, frame, ear)

    def _until(self, step: Step, until: Until, frame: Frame, ear: Ear) -> tuple[End, int]:
        limit = self._until_limit(step, frame)
        attempt = 0
        while True:
            attempt += 1
            end = self._done(step, dataclasses.replace(frame, deadline=limit), ear)
            if end.outcome not in {Outcome.PASSED, Outcome.FAILED} or self._holds(until, end, frame):
                return self._weighed(step, end, frame, ear), attempt
            spent = until.retries is not None and attempt > until.retries
            if spent or limit.left <= until.delay or frame.cancel.cause is not None:
                return self._gave_up(step, until, end, frame, attempt, limit), attempt
            self._run.clock.wait(frame.cancel, until.delay)

    def _until_limit(self, step: Step, frame: Frame) -> Deadline:
        if step.timeout is None:
            return frame.deadline
        seconds = duration_of(self._run.templates.render(step.timeout, frame.names), "timeout")
        return Deadline.after(seconds, f"the step's timeout of {seconds}", self._run.clock).nearer(
            frame.deadline
        )

    def _holds(self, until: Until, end: End, frame: Frame) -> bool:
        if end.outcome is not Outcome.PASSED:
            return False
        return self._run.templates.judge(until.condition, _with_result(frame, end)).holds

    def _gave_up(
        self, step: Step, until: Until, end: End, frame: Frame, attempts: int, limit: Deadline
    ) -> End:
        if not end.good:
            return end
        judged = self._run.templates.judge(until.condition, _with_result(frame, end))
        why = (
            "its retries are used up"
            if until.retries is not None and attempts > until.retries
            else limit.origin
        )
        failed = Failed(
            f"{judged.text} did not hold after {attempts} attempts"
            + (f": {judged.values}" if judged.values else ""),
            evidence={"operands": judged.operands, "attempts": attempts, "limit": why},
            result=end.result,
        )
        return end_of(failed, at=str(step.at), console=self._run.consoles.tail(self._bench))

    def _done(self, step: Step, frame: Frame, ear: Ear) -> End:
        if isinstance(step.what, Use):
            end = self._watched(step, frame, ear)
        else:
            end = self._played(step, frame, ear)
        if step.register and end.result is not None:
            frame.home.set(step.register, end.result)
        elif step.register:
            checking = self._run.options.check and end.outcome is Outcome.SKIPPED
            frame.home.set(step.register, Absent(f"its step gave no result ({step.at})", checking=checking))
        return end

    def _played(self, step: Step, frame: Frame, ear: Ear) -> End:
        try:
            end = self._body(step, frame, ear)
            if step.expect_error is not None and end.outcome is Outcome.PASSED:
                end = self._missed_error(step, end)
        except Exception as error:  # noqa: BLE001 - the one place where exceptions become results
            end = self._caught(step, error, frame)
        return end

    def _watched(self, step: Step, frame: Frame, ear: Ear) -> End:
        """Play a step that uses a module; what a console says meanwhile fails it, however it ended."""
        alarms = self._run.alarms
        with alarms.over(self._bench, frame.cancel, clean_up=frame.clean_up) as watched:
            end = End(outcome=Outcome.CANCELLED)
            if watched.cancel.cause is None or frame.cancel.cause is not None:
                end = self._played(step, frame.under(watched.cancel), ear)
            alarm = alarms.settle(watched, frame.cancel)
        if alarm is None:
            return end
        problem = end.problem if end.outcome is not Outcome.CANCELLED else None
        said = problem.message if problem is not None else ""
        return self._caught(step, failure(alarm, before=watched.before, otherwise=said), frame)

    def _missed_error(self, step: Step, end: End) -> End:
        missed = Failed(f"expected an error, but it passed: {step.name or step.title}", result=end.result)
        return end_of(missed, at=str(step.at), console=self._run.consoles.tail(self._bench))

    def _caught(self, step: Step, error: Exception, frame: Frame) -> End:
        console = self._run.consoles.tail(self._bench) if verb_of(step) else ""
        error = self._run.away.error(self._bench) or error
        if step.expect_error is not None and isinstance(error, Verdict) and frame.cancel.cause is None:
            try:
                judge.expected_error(step.expect_error, error)
            except Failed as other:
                return end_of(other, at=str(step.at), console=console)
            return End(outcome=Outcome.PASSED, result=error.result)
        return end_of(error, at=str(step.at), console=console)

    def _fail_when(self, step: Step, names: Scope) -> None:
        for condition in step.failed_when:
            if self._run.templates.judge(condition, names).holds:
                operands = self._run.templates.operands(condition, names)
                said = ", ".join(f"{name} is {value!r}" for name, value in operands.items())
                raise Failed(
                    f"failed_when {condition.text} holds" + (f": {said}" if said else ""),
                    evidence={condition.text: operands},
                )

    def _weighed(self, step: Step, end: End, frame: Frame, ear: Ear) -> End:
        """Judge a result by failed_when, expect and measure."""
        if not (step.expect or step.measure or step.failed_when):
            return end
        names = _with_result(frame, end)
        templates = self._run.templates
        try:
            if (
                step.failed_when
                and end.outcome in {Outcome.PASSED, Outcome.FAILED}
                and end.result is not None
            ):
                end = dataclasses.replace(end, outcome=Outcome.PASSED, problem=None)
                self._fail_when(step, names)
            if end.outcome is not Outcome.PASSED:
                return end
            measured = judge.measure(step.measure, names, templates)
            ear.measures.extend(measured)
            judge.expect(step.expect, names, templates)
            judge.refuse_outside(measured)
        except Exception as error:  # noqa: BLE001 - becomes the end of the step, see verdict.py
            bad = end_of(error, at=str(step.at), console=self._run.consoles.tail(self._bench))
            return dataclasses.replace(bad, result=end.result)
        return end


def verb_of(step: Step) -> str:
    """Return the name of the module a step uses, or an empty text for blocks and the like."""
    return step.what.verb.name if isinstance(step.what, Use) else ""


def duration_of(value: object, what: str) -> Duration:
    """Take a rendered value as a duration; raise RecipeFault when it is none."""
    try:
        return Duration(value)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise RecipeFault(f"{what}: {error}") from error


def brief_result(result: Any) -> Any:
    """Return a result as JSON, short enough for an event."""
    return brief(result)


def _with_result(frame: Frame, end: End) -> Scope:
    return frame.names.child(values={"result": end.result})


def _hidden(problem: Problem) -> Problem:
    return dataclasses.replace(problem, message="failed (no_log)", evidence={}, console="")


def _attempt(step: Step, end: End, number: int, seconds: float) -> Attempt:
    problem = end.problem or Problem(message=end.outcome.word)
    return Attempt(
        number=number,
        outcome=end.outcome,
        problem=_hidden(problem) if step.no_log else problem,
        seconds=round(seconds, 6),
        step=step.name or step.title,
    )


def _retryable(step: Step, end: End) -> bool:
    kind = end.problem.kind if end.problem else ""
    match end.outcome:
        case Outcome.FAILED:
            return "failed" in step.retry_on or (kind == "timeout" and "timeout" in step.retry_on)
        case Outcome.ERROR:
            return "error" in step.retry_on
        case _:
            return False
