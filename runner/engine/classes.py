"""The modules and drivers that a plan may use beside the hardware."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runner.engine.plan import Plan, PlannedPlay
from runner.model import Action, Call, Step, Use
from runner.recipe.later import all_steps


def classes_of(plan: Plan) -> frozenset[str]:
    """Return where each class is written: ``package.file:Class``."""
    return frozenset(path for play in plan.plays for path in _of_play(play))


def _of_play(planned: PlannedPlay) -> Iterator[str]:
    play = planned.play
    seen: set[str] = set()
    for test in play.tests:
        yield from _of_steps((*test.setup, *test.steps, *test.teardown), seen)
    yield from _of_steps((*play.setup, *play.teardown), seen)
    for bench in planned.benches:
        yield from (spec.path for spec in bench.configure.devices.values())
        ladder = (each for each in bench.recover if isinstance(each, Step))
        yield from _of_steps((*bench.on_acquire, *bench.on_release, *ladder), seen)


def _of_steps(steps: Iterable[Step], seen: set[str]) -> Iterator[str]:
    for step in all_steps(steps):
        match step.what:
            case Use(verb=verb) if verb.runs_on == "host":
                yield verb.path
            case Call(action=action):
                yield from _of_action(action, seen)


def _of_action(action: Action, seen: set[str]) -> Iterator[str]:
    if action.name not in seen:
        seen.add(action.name)
        yield from _of_steps(action.steps, seen)
