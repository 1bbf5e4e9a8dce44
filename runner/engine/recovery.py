"""Brings a bench back between two attempts: one rung of its ladder before each further one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from runner.agent.calls import Quarantine
from runner.api.verdicts import Verdict
from runner.connect.link import Crash
from runner.engine.alarms import sentence
from runner.engine.end import End
from runner.engine.frame import Frame
from runner.engine.heard import Ear
from runner.engine.run import Run
from runner.engine.taken import TakenBench
from runner.engine.who import ourselves
from runner.model import Quarantining, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What was done before the next attempt; `over` says why there is to be none."""

    done: tuple[str, ...] = ()
    over: str = ""


class Climb:
    """One way up a ladder, for one case or step that is tried again.

    The first rung comes before the second attempt, the second before the third. A rung that does
    not pass gives way to the next at once. At the top, the last rung that is a step is used again.
    """

    def __init__(self, run: Run, bench: TakenBench, play: Callable[[Step, Frame], End]) -> None:
        """Begin at the foot."""
        self._run = run
        self._bench = bench
        self._play = play
        self._rungs = list(bench.planned.recover)

    def up(self, frame: Frame, ear: Ear, end: End) -> Recovered:
        """Climb until a rung passes; `end` is how the last attempt ended."""
        frame = dataclasses.replace(frame.inner(names=frame.names), phase="recovery", clean_up=True)
        for alarm in self._run.alarms.left_over(self._bench.name):
            ear.say(f"{sentence(alarm)}, of the attempt before", "warning")
        done: list[str] = []
        while self._rungs and frame.cancel.cause is None:
            rung = self._rungs[0]
            if isinstance(rung, Quarantining):
                return Recovered(done=tuple(done), over=self._quarantine(rung, frame.case, ear, end))
            if len(self._rungs) > 1:
                self._rungs.pop(0)
            name = rung.name or rung.title
            ear.say(f"recovering with {name}")
            outcome = self._play(rung, frame).outcome
            done.append(f"{name}: {outcome.word}")
            if outcome.good or self._rungs[0] is rung:
                break
        return Recovered(done=tuple(done))

    def _quarantine(self, rung: Quarantining, case: str, ear: Ear, end: End) -> str:
        """Put the bench into quarantine; return what came of it, which ends the attempts in any case."""
        why = end.problem.message if end.problem is not None else end.outcome.word
        reason = ": ".join(filter(None, (rung.reason, case, why)))
        order = Quarantine(bench=self._bench.name, reason=reason, who=ourselves(), run=self._run.options.run)
        try:
            self._bench.quarantine(order, ear.hear, self._run.abort)
        except (Verdict, Crash) as error:
            told = f"bench {self._bench.name} could not be put into quarantine: {error}"
            ear.say(told, "error")
            return told
        told = f"bench {self._bench.name} is in quarantine now"
        ear.say(
            f"{told}: {reason}; when it is fit again: runner quarantine {self._bench.name} --clear", "error"
        )
        return told
