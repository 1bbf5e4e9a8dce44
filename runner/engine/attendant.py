"""Puts what drivers ask to the person at the terminal, and finds out beforehand whether they will."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator

from runner.agent.calls import Answer, Heard, Question
from runner.api.verdicts import Verdict
from runner.connect.link import Link
from runner.engine.cancel import Cancellation
from runner.engine.plan import Plan, PlannedBench, PlannedPlay
from runner.errors import Faults
from runner.model import Action, Call, Step, Use
from runner.recipe.devices import survey_devices
from runner.recipe.later import all_steps

Ask = Callable[[Question, Cancellation], str]
"""Asks a person, and returns ``yes`` or ``no``; nothing when the run ends first."""


class Attendant:
    """Asks one question at a time, each on a thread of its own: whoever reads for a link cannot wait."""

    def __init__(self, ask: Ask | None, link_of: Callable[[str], Link | None], abort: Cancellation) -> None:
        """Ask by `ask`, None for nobody; `link_of` leads to the agent of a bench, `abort` ends it all."""
        self._ask = ask
        self._link_of = link_of
        self._abort = abort
        self._open: dict[tuple[str, int], Cancellation] = {}
        self._one_at_a_time = threading.Lock()

    def take(self, question: Question) -> None:
        """Take a question, whose answer goes to the agent; or that one is withdrawn."""
        key = (question.bench, question.number)
        if not question.text:
            asked = self._open.pop(key, None)
            if asked is not None:
                asked.cancel("it is withdrawn")
            return
        own = self._open[key] = Cancellation(self._abort)
        threading.Thread(target=self._answer, args=(question, own), name="attendant", daemon=True).start()

    def _answer(self, question: Question, own: Cancellation) -> None:
        text = ""
        if self._ask is not None:
            with self._one_at_a_time:
                text = "" if own.cause is not None else self._ask(question, own)
        link = self._link_of(question.bench)
        if link is not None and own.cause is None:
            with contextlib.suppress(Verdict):  # the agent has gone, and its step says so
                link.call(Answer(question.bench, question.number, text), _nothing, cancel=self._abort)


def refuse_without_person(plan: Plan) -> None:
    """Raise InputError for every step that needs a person's hand; asked where nobody is."""
    faults = Faults()
    for planned in plan.plays:
        for bench in planned.benches:
            _note(planned, bench, faults)
    faults.raise_if_any()


def _note(planned: PlannedPlay, bench: PlannedBench, faults: Faults) -> None:
    manual = {
        name for name, device in bench.bench.devices.items() if device.driver and device.driver.needs_person
    }
    seen: set[str] = set()
    for step, use in _uses(_steps_of(planned, bench), seen) if manual else ():
        paths, _faults = survey_devices(use, bench.bench)
        for path in paths.values():
            name = path.partition(".")[0] if isinstance(path, str) else ""
            if name in manual:
                message = f"{use.verb.name}: {name!r} on bench {bench.bench.name!r} is switched by a person"
                hint = "play it at a terminal, without --no-input"
                faults.add("E522", message, at=step.at, hint=hint)


def _steps_of(planned: PlannedPlay, bench: PlannedBench) -> Iterator[Step]:
    play = planned.play
    for test in play.tests:
        yield from (*test.setup, *test.steps, *test.teardown)
    yield from (*play.setup, *play.teardown, *bench.on_acquire, *bench.on_release)


def _uses(steps: Iterable[Step], seen: set[str]) -> Iterator[tuple[Step, Use]]:
    for step in all_steps(steps):
        match step.what:
            case Use():
                yield step, step.what
            case Call(action=Action() as action) if action.name not in seen:
                seen.add(action.name)
                yield from _uses(action.steps, seen)


def _nothing(_heard: Heard) -> None:
    return
