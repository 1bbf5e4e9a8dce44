"""Does what a step says: a module, an action, a block, steps side by side, the end of a background step."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, assert_never

from runner.api.values import Duration
from runner.api.verdicts import Cancelled, RecipeFault, TimedOut
from runner.engine import perform
from runner.engine.background import Background
from runner.engine.cancel import Cancellation, Deadline
from runner.engine.end import PASSED, End, worst, worst_done
from runner.engine.frame import Frame
from runner.engine.heard import Ear
from runner.engine.limits import CLEAN_UP, deadline, own_limit, step_limit, tell_origin
from runner.engine.recovery import Climb
from runner.engine.run import Once, Run
from runner.engine.step import StepPlayer, duration_of
from runner.engine.taken import TakenBench
from runner.engine.verdict import end_of
from runner.model import Action, Block, Call, Parallel, Play, Step, Stop, Use
from runner.result import Outcome

Arrive = Callable[[Step], None]
Others = Callable[[str], "BenchPlayer"]


class BenchPlayer:
    """Plays steps of every kind on one bench."""

    def __init__(
        self, run: Run, play: Play, bench: TakenBench, *, others: Others, arrive: Arrive, once: Once
    ) -> None:
        """Play on `bench`. `others` finds the player of another bench; `arrive` waits for lockstep."""
        self._run = run
        self._play = play
        self.bench = bench
        self._others = others
        self._arrive = arrive
        self._once = once
        self._steps = StepPlayer(run, bench.name, self._body, self.climb)

    def scope(self, steps: Sequence[Step], frame: Frame) -> End:
        """Play steps in order until one does not pass, then what was deferred, last first."""
        try:
            end = self._in_order(steps, frame)
        finally:
            late = self._finish(frame)
        return _decisive(end, late)

    def every(self, steps: Sequence[Step], frame: Frame) -> End:
        """Play all steps, also after one that did not pass: for teardown."""
        ends = [self.step(step, frame) for step in steps]
        return worst_done((*ends, *self._finish(frame)))

    def step(self, step: Step, frame: Frame) -> End:
        """Play one step."""
        if frame.depth == 0:
            self._arrive(step)
        if frame.cancel.cause is not None:
            return _cancelled(frame.cancel.cause)
        if step.defer:
            frame.deferred.append((dataclasses.replace(step, defer=False), frame.names))
            return PASSED
        if step.background:
            return self._start(step, frame)
        if step.run_once:
            return self._once_for_all(step, frame)
        if step.bench is not None:
            return self._elsewhere(step, frame)
        return self._steps.play(step, frame)

    def _in_order(self, steps: Sequence[Step], frame: Frame) -> End:
        outcome = Outcome.PASSED
        for step in steps:
            end = self.step(step, frame)
            if not end.good or (end.outcome is Outcome.SKIPPED and _ends_case(step, end)):
                return end
            if end.outcome is Outcome.FLAKY:
                outcome = Outcome.FLAKY
        return End(outcome=outcome)

    def _finish(self, frame: Frame) -> list[End]:
        cleaning = frame.cleaning(
            self._run.abort,
            Deadline.after(CLEAN_UP, f"the limit for clean-up of {CLEAN_UP}", self._run.clock),
        )
        ends = [self.step(step, cleaning.seeing(names)) for step, names in reversed(frame.deferred)]
        return [*ends, *(_stopped(each.stop()) for each in frame.background.values())]

    def _start(self, step: Step, frame: Frame) -> End:
        quiet = dataclasses.replace(step, background="")
        frame.background[step.background] = Background(
            step.background,
            lambda cancel: self.step(quiet, dataclasses.replace(frame, cancel=cancel, depth=frame.depth + 1)),
            frame.cancel,
        )
        return PASSED

    def _once_for_all(self, step: Step, frame: Frame) -> End:
        case = frame.case.rpartition("@")[0]
        here = dataclasses.replace(step, run_once=False)
        end = self._once.run(f"{case} {frame.phase} {step.id}", lambda: self.step(here, frame), frame.cancel)
        if step.register:
            frame.home.set(step.register, end.result)
        return end

    def _elsewhere(self, step: Step, frame: Frame) -> End:
        if step.bench is None:
            raise RuntimeError("no other bench is named")
        name = str(self._run.templates.render(step.bench, frame.names))
        here = dataclasses.replace(step, bench=None)
        if name == self.bench.name:
            return self.step(here, frame)
        other = self._others(name)
        names = frame.names.rebased(self.bench.names, other.bench.names)
        return other.step(here, dataclasses.replace(frame, names=names, depth=frame.depth + 1))

    def climb(self) -> Climb:
        """Begin to climb this bench's ladder of recovery."""
        return Climb(self._run, self.bench, self.step)

    def _body(self, step: Step, frame: Frame, ear: Ear) -> End:
        what = step.what
        if isinstance(what, Use):
            return self._use(step, what, frame, ear)
        limited = self._limited(step, frame)
        match what:
            case Call():
                return self._call(what.action, what, limited)
            case Block():
                return self._block(what, limited)
            case Parallel():
                return self._parallel(what.steps, limited)
            case Stop():
                return self._stop(what, limited)
            case _:
                assert_never(what)

    def _limited(self, step: Step, frame: Frame) -> Frame:
        timeout = self._timeout(step, frame)
        if timeout is None:
            return frame
        limit = deadline(timeout, f"the timeout of {timeout} at {step.at}", frame.deadline)
        return dataclasses.replace(frame, deadline=limit)

    def _timeout(self, step: Step, frame: Frame) -> Duration | None:
        if step.timeout is None:
            return None
        return duration_of(self._run.templates.render(step.timeout, frame.names), "timeout")

    def _use(self, step: Step, use: Use, frame: Frame, ear: Ear) -> End:
        templates = self._run.templates
        given = perform.arguments(use.arguments, frame.names, templates)
        perform.refuse_misfits(use, given)
        perform.refuse_files(given, self._run.options.untrusted)
        self._hide(use, given)
        ear.targets = perform.targets(given)
        verb = use.verb
        acts = verb.runs_on == "host" or verb.limited_by or verb.unconfined
        seconds, origin = step_limit(self._timeout(step, frame), step, use, given, self._play.timeout)
        limit = deadline(seconds, origin, frame.deadline)
        reads = verb.reads_only or bool(given.get(verb.reads_when))
        if self._run.options.check and not reads and acts:
            told = self._predicted(use, given, frame, limit, ear) if verb.predicts else ""
            ear.say(told or f"would run {step.name or step.title}", "info")
            return End(outcome=Outcome.SKIPPED, reason=f"check mode: {told or f'would run {verb.name}'}")
        if verb.runs_on == "controller":
            result = perform.run_here(
                verb,
                given,
                self.bench.planned.bench,
                frame,
                limit,
                ear.hear,
                lambda: self.bench.link(ear.hear, frame.cancel),
            )
            self._define(use, given, frame)
            return End(outcome=Outcome.PASSED, result=result)
        devices = self.bench.devices(use, frame.names, templates)
        idle = self._idle(step, frame)
        link = self.bench.link(ear.hear, frame.cancel)
        try:
            result = perform.run_there(
                verb, given, devices, self.bench.name, link, frame, limit, idle, ear.hear, self._run.masker
            )
        except TimedOut as late:
            tell_origin(late, (verb.limited_by, own_limit(step, use, given)), limit.origin)
            raise
        return End(outcome=Outcome.PASSED, result=result)

    def _predicted(self, use: Use, given: Mapping[str, Any], frame: Frame, limit: Deadline, ear: Ear) -> str:
        """Return what a module says that it would do; what that needs is opened, and nothing else."""
        if use.verb.runs_on == "controller":
            return perform.predict_here(use.verb, given, self.bench.planned.bench, frame, limit, ear.hear)
        devices = self.bench.devices(use, frame.names, self._run.templates)
        needed = {slot: path for slot, path in devices.items() if path is None or isinstance(path, str)}
        link = self.bench.link(ear.hear, frame.cancel)
        return perform.predict_there(use.verb, given, needed, self.bench.name, link, frame, limit, ear.hear)

    def _hide(self, use: Use, given: Mapping[str, Any]) -> None:
        for name, bound in use.arguments.items():
            found = [str(given[name])] if bound.parameter.secret and given.get(name) else []
            for secret in (*found, *perform.secrets(given.get(name))):
                self._run.masker.add(secret)

    def _idle(self, step: Step, frame: Frame) -> float | None:
        if step.idle_timeout is None:
            return None
        return duration_of(self._run.templates.render(step.idle_timeout, frame.names), "idle_timeout")

    def _define(self, use: Use, given: Mapping[str, Any], frame: Frame) -> None:
        for name, value in given.get(use.verb.defines, {}).items() if use.verb.defines else ():
            frame.home.set(name, value)

    def _call(self, action: Action, call: Call, frame: Frame) -> End:
        templates = self._run.templates
        given = {
            name: perform.value_of(bound, frame.names, templates) for name, bound in call.arguments.items()
        }
        defaults = {
            name: parameter.default for name, parameter in action.params.items() if not parameter.required
        }
        home = self.bench.built_in.child(values={**defaults, **given})
        inner = frame.inner(names=home, home=home)
        end = self.scope(action.steps, inner)
        if not end.good:
            return end
        returned = {name: templates.render(node, home) for name, node in action.returns.items()}
        return dataclasses.replace(end, result=returned or None)

    def _block(self, block: Block, frame: Frame) -> End:
        end = self.scope(block.steps, _with_own_cancel(block.steps, frame))
        if block.rescue and end.outcome in {Outcome.FAILED, Outcome.ERROR}:
            end = self.scope(block.rescue, _with_own_cancel(block.rescue, frame))
        if not block.always:
            return end
        cleaning = frame.inner(names=frame.names).cleaning(
            self._run.abort,
            Deadline.after(CLEAN_UP, f"the limit for clean-up of {CLEAN_UP}", self._run.clock),
        )
        return worst((end, self.every(block.always, cleaning)))

    def _parallel(self, steps: Sequence[Step], frame: Frame) -> End:
        ends: list[End] = [PASSED] * len(steps)

        def play(index: int, step: Step) -> None:
            ends[index] = self.step(step, frame.inner(names=frame.names))

        threads = [
            threading.Thread(target=play, args=(index, step), name=f"parallel {step.id}", daemon=True)
            for index, step in enumerate(steps)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return worst_done(ends) if any(end.outcome is not Outcome.SKIPPED for end in ends) else worst(ends)

    def _stop(self, stop: Stop, frame: Frame) -> End:
        running = frame.background.pop(stop.background, None)
        if running is None:
            raise RecipeFault(f"no background step {stop.background!r} is running here")
        end = running.stop() if stop.cancel else running.join()
        return _stopped(end) if stop.cancel else end


def _with_own_cancel(steps: Sequence[Step], frame: Frame) -> Frame:
    """Give a scope with background steps a token of its own, so that their failure ends only it."""
    own = Cancellation(frame.cancel) if any(step.background for step in steps) else None
    return frame.inner(names=frame.names, cancel=own)


def _decisive(end: End, late: Sequence[End]) -> End:
    """Return what decides about a scope: its steps, or what cancelled them when that was one of its own."""
    if end.good:
        return worst((end, worst_done(late)))
    bad = [each for each in late if not each.good and each.outcome is not Outcome.CANCELLED]
    return bad[0] if end.outcome is Outcome.CANCELLED and bad else end


def _stopped(end: End) -> End:
    """Return how a background step ended that we stopped: that is not a failure of its own."""
    return PASSED if end.outcome is Outcome.CANCELLED else end


def _ends_case(step: Step, end: End) -> bool:
    return (
        isinstance(step.what, Use) and step.what.verb.name == "skip" and not end.reason.startswith("when: ")
    )


def _cancelled(cause: str) -> End:
    return end_of(Cancelled(cause), at="", console="")
