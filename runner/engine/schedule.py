"""Plays a plan: its plays in order, their benches side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from runner.agent.calls import ConsoleBytes, Heard, Inspect, Question
from runner.api.verdicts import Cancelled, LabError, RecipeFault
from runner.connect.link import Link
from runner.engine.attendant import Attendant
from runner.engine.bench import BenchRun
from runner.engine.body import BenchPlayer
from runner.engine.cancel import Cancellation, Clock, Deadline, RealClock
from runner.engine.consoles import Consoles
from runner.engine.heard import Ear
from runner.engine.journal import Journal, Listener
from runner.engine.lockstep import Lockstep
from runner.engine.plan import Plan, PlannedBench, PlannedPlay
from runner.engine.pool import take_all, take_some
from runner.engine.run import Links, Once, Run
from runner.engine.source import Source
from runner.engine.taken import TakenBench
from runner.fold import Fold, RunResult, exit_code
from runner.inventory.variables import bench_names
from runner.masking import Masker
from runner.model import Host, Step
from runner.recipe.later import uses_other_benches
from runner.result import Logged, PlayFinished, PlayStarted, RunFinished, RunStarted
from runner.template import Templates

Connect = Callable[[Host, Callable[[ConsoleBytes], None], Callable[[Heard], None]], Link]


class Interrupts:
    """Ctrl-C and the like: the first ends the run after clean-up, the second ends clean-up."""

    def __init__(self) -> None:
        """Start with none."""
        self.run = Cancellation()
        self.abort = Cancellation()
        self.signal = 0
        """The number of the first signal, 0 when there was none."""

    def interrupt(self, number: int, name: str) -> None:
        """Take a signal."""
        if self.signal == 0:
            self.signal = number
            self.run.cancel(f"interrupted by {name}")
        else:
            self.abort.cancel(f"interrupted a second time by {name}")


def play(
    plan: Plan,
    connect: Connect,
    listeners: Iterable[Listener],
    *,
    templates: Templates,
    masker: Masker,
    interrupts: Interrupts,
    started: RunStarted,
    clock: Clock | None = None,
) -> RunResult:
    """Play every case of a plan and return what came of it; the only function with side effects.

    `clock`: the time of the run, the real one unless another is given.
    """
    fold = Fold()
    clock = clock or RealClock()
    journal = Journal((fold, *listeners), masker, clock)
    consoles = Consoles()

    def console(chunk: ConsoleBytes) -> None:
        consoles.hear(chunk)
        journal.console(chunk)

    def hear(heard: Heard) -> None:
        if isinstance(heard, Question):
            attendant.take(heard)
        else:
            ear.hear(heard)

    run_wide = Cancellation(interrupts.run)

    def make_link(host: Host) -> Link:
        return connect(host, console, hear)

    run = Run(
        journal=journal,
        templates=templates,
        consoles=consoles,
        masker=masker,
        links=Links(make_link),
        options=plan.options,
        abort=interrupts.abort,
        cancel=run_wide,
        clock=clock,
        built_in=_built_in(plan, started),
    )
    ear = Ear(run, bench="", case="", step="")
    benches = plan.inventory.benches
    attendant = Attendant(
        plan.options.person, lambda bench: run.links.known(benches[bench].host), interrupts.abort
    )
    try:
        journal.tell(started)
        for note in plan.notes:
            journal.tell(Logged(t=journal.now, text=note, level="warning"))
        refused = False
        for planned in plan.plays:
            refused = PlayRun(run, planned).play() or refused
    finally:
        run.links.close()
        code = exit_code(fold.result, plan.options, signal=interrupts.signal, refused=refused)
        journal.tell(
            RunFinished(t=journal.now, seconds=journal.now, exit_code=code, counts=fold.result.counts)
        )
        journal.close()
    return fold.result


def _built_in(plan: Plan, started: RunStarted) -> Mapping[str, object]:
    return {
        "benches": {name: bench_names(bench) for name, bench in plan.inventory.benches.items()},
        "run": {"id": started.run, "dir": started.folder, "started": started.started},
        "artifacts": str(Path(started.folder) / "artifacts"),
    }


class PlayRun:
    """One play of a run."""

    def __init__(self, run: Run, planned: PlannedPlay) -> None:
        """Seat every bench."""
        self._run = run
        self._planned = planned
        play_ = planned.play
        self._source = Source(planned.cases, run.options, shard=play_.strategy == "shard")
        names = [each.bench.name for each in planned.benches]
        self._lockstep = Lockstep(play_, names, run.cancel) if play_.strategy == "lockstep" else None
        self._once = Once()
        self._players = {each.bench.name: self._player(each) for each in planned.benches}

    def _player(self, planned: PlannedBench) -> BenchPlayer:
        name = planned.bench.name
        taken = TakenBench(self._run, planned, {**self._run.built_in, "bench": bench_names(planned.bench)})

        def arrive(step: Step) -> None:
            if self._lockstep is not None:
                self._lockstep.arrive(name, step)

        return BenchPlayer(
            self._run, self._planned.play, taken, others=self._other, arrive=arrive, once=self._once
        )

    def _other(self, name: str) -> BenchPlayer:
        if name not in self._players:
            raise RecipeFault(
                f"bench {name!r} is not one of this play's",
                hint=f"they are: {', '.join(self._players)}",
            )
        return self._players[name]

    def play(self) -> bool:
        """Play it on its benches; return whether a bench was refused because somebody held it."""
        journal = self._run.journal
        play_ = self._planned.play
        self._leave_out_quarantined()
        names = tuple(self._players)
        journal.tell(
            PlayStarted(
                t=journal.now,
                play=play_.name,
                recipe=self._planned.recipe.path,
                benches=names,
                cases=len(self._planned.cases)
                * (1 if play_.strategy == "shard" else play_.take or len(names)),
                strategy=play_.strategy,
                take=play_.take,
            )
        )
        wait = float(self._run.options.wait or play_.reserve_wait or 0.0)
        runs = [
            BenchRun(self._run, self._planned, player, self._source, self._lockstep)
            for player in self._players.values()
        ]
        chosen = self._secured(runs, wait)
        self._side_by_side(chosen, wait)
        problems = tuple(problem for each in chosen for problem in each.problems)
        journal.tell(PlayFinished(t=journal.now, play=play_.name, problems=problems))
        return any(each.refused for each in chosen)

    def _leave_out_quarantined(self) -> None:
        """Play on the other benches when there are enough of them; in lockstep none can be missing."""
        play_ = self._planned.play
        if len(self._players) == 1 or play_.strategy == "lockstep":
            return
        found = {name: why for name in self._players if (why := self._quarantine_of(name))}
        if not found or len(self._players) - len(found) < (play_.take or 1):
            return
        journal = self._run.journal
        for name, why in found.items():
            del self._players[name]
            text = f"bench {name} is left out: {why}; when it is fit again: runner quarantine {name} --clear"
            journal.tell(Logged(t=journal.now, text=text, level="warning", bench=name))

    def _quarantine_of(self, name: str) -> str:
        """Say why a bench is in quarantine; a host that cannot be asked says so when the bench is taken."""
        ear = Ear(self._run, bench=name, case="", step="")
        host = self._players[name].bench.planned.bench.host
        try:
            answer = self._run.links.to(host).call(Inspect(bench=name), ear.hear, cancel=self._run.cancel)
        except (LabError, Cancelled):
            return ""
        notice = (answer or {}).get("notice")
        if not notice:
            return ""
        from runner.agent.quarantine import Notice

        return str(Notice(**notice))

    def _secured(self, runs: Sequence[BenchRun], wait: float) -> list[BenchRun]:
        """Return the benches to play on; those that are needed together, or of many, are taken by now."""
        play_ = self._planned.play
        limit = Deadline.after(wait, "the time to wait for a bench", self._run.clock)
        if play_.take is None:
            if len(runs) > 1 and (self._lockstep is not None or uses_other_benches(play_)):
                take_all(runs, limit)
            return list(runs)
        taken = set(take_some(runs, play_.take, limit, self._run.cancel))
        missing = [each for each in runs if each.name not in taken][: play_.take - len(taken)]
        chosen = [each for each in runs if each.name in taken or each in missing]
        if self._lockstep is not None:
            for each in runs:
                if each not in chosen:
                    self._lockstep.leave(each.name)
        return chosen

    def _side_by_side(self, runs: Sequence[BenchRun], wait: float) -> None:
        at_once = self._run.options.parallel or self._planned.play.max_parallel or len(runs)
        seats = threading.Semaphore(max(1, at_once))
        crashes: list[BaseException] = []

        def seated(each: BenchRun) -> None:
            with seats:
                try:
                    each.play(wait)
                except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
                    crashes.append(error)

        threads = [
            threading.Thread(target=seated, args=(each,), name=f"bench {each.name}", daemon=True)
            for each in runs
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if crashes:
            raise crashes[0]
