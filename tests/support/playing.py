"""Plays recipes in this process, with a link that answers as a test tells it to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from runner.agent.calls import (
    Configure,
    ConsoleBytes,
    Heard,
    Inspect,
    Lift,
    Quarantine,
    Release,
    Request,
    Run,
    Take,
)
from runner.agent.quarantine import Quarantines
from runner.api import Cancelled
from runner.connect.link import Cancel, Link
from runner.engine.cancel import Clock
from runner.engine.options import PlayOptions
from runner.engine.planning import make_plan
from runner.engine.schedule import Connect, Interrupts, play
from runner.fold import RunResult
from runner.inventory.read import read_inventory
from runner.masking import Masker
from runner.model import Host
from runner.recipe.read import read_recipe
from runner.registry import Registry
from runner.result import CaseFinished, Event, RunStarted, StepFinished
from runner.template import Templates

Answer = Callable[[Run], Any]
MOCKED = "benches:\n  {name}:\n    devices:\n      power: {{driver: mock}}\n"
ENDED = {"stdout": "", "stderr": "", "status": 0, "elapsed": 0.1, "dropped": 0}


class FakeLink:
    """Answers each Run by the function it was given; keeps what it was asked."""

    heard: Callable[[Heard], None]
    """Where alarms of consoles go, which belong to no call."""

    def __init__(self, answer: Answer) -> None:
        self.lost = ""
        self.asked: list[Request] = []
        self.quarantines: Quarantines | None = None
        self.console: Callable[[ConsoleBytes], None] | None = None
        self._answer = answer
        self._lock = threading.Lock()

    def call(self, request: Request, hear: Callable[[Heard], None], *, cancel: Cancel) -> Any:
        del hear
        with self._lock:
            self.asked.append(request)
        if isinstance(request, (Quarantine, Lift, Inspect)):
            return self.quarantines.answer(request) if self.quarantines else {"notice": None}
        if isinstance(request, Take) and self.quarantines:
            self.quarantines.refuse(request)
        if isinstance(request, (Configure, Release, Take)):
            return None
        if cancel.cause is not None:
            raise Cancelled(cancel.cause)
        return self._answer(request)

    def commands(self) -> list[str]:
        return [str(each.arguments.get("command")) for each in self.asked if isinstance(each, Run)]

    def close(self) -> None:
        self.lost = "closed"


class Heart:
    """Hears everything."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def hear(self, event: Event) -> None:
        self.events.append(event)

    def console(self, chunk: object) -> None:
        del chunk

    def close(self) -> None:
        pass


class Played:
    """What came of a recipe."""

    def __init__(self, result: RunResult, events: list[Event], link: FakeLink) -> None:
        self.result = result
        self.events = events
        self.link = link

    @property
    def outcomes(self) -> dict[str, str]:
        return {case.case.partition("::")[2]: case.outcome.word for case in self.result.cases}

    @property
    def steps(self) -> list[StepFinished]:
        return [event for event in self.events if isinstance(event, StepFinished)]

    def case(self, name: str) -> CaseFinished:
        return next(case for case in self.result.cases if case.test == name)

    def logs(self) -> list[str]:
        return [
            event.text for event in self.events if type(event).__name__ == "Logged" and event.level == "info"
        ]


def fine(_run: Run) -> dict[str, Any]:
    return dict(ENDED)


def play_text(
    folder: Path,
    text: str,
    *,
    answer: Answer = fine,
    inventory: str = "",
    interrupts: Interrupts | None = None,
    environment: Mapping[str, str] | None = None,
    link: Callable[[Answer], FakeLink] = FakeLink,
    connect: Connect | None = None,
    clock: Clock | None = None,
    **options: Any,
) -> Played:
    """Play a recipe's text on a bench called ``b``, or on the benches of an inventory.

    `connect` leads to real agents instead of the fake `link`.
    """
    recipe, benches = folder / "recipe.yaml", folder / "benches.yaml"
    recipe.write_text(text, encoding="utf-8")
    benches.write_text(inventory or MOCKED.format(name="b"), encoding="utf-8")
    registry, templates, masker = Registry.built_in(), Templates(), Masker()
    made = link(answer)

    def fake(_host: Host, console: Callable[[ConsoleBytes], None], heard: Callable[[Heard], None]) -> Link:
        made.heard = heard
        made.console = console
        return made

    plan = make_plan(
        [read_recipe(str(recipe), registry)],
        read_inventory([str(benches)], registry),
        PlayOptions(folder=str(folder), run="test", **options),
        registry=registry,
        templates=templates,
        masker=masker,
        environment=environment or {},
    )
    heart = Heart()
    started = RunStarted(t=0.0, run="test", started="", version="", recipes=(), folder=str(folder))
    result = play(
        plan,
        connect or fake,
        [heart],
        templates=templates,
        masker=masker,
        interrupts=interrupts or Interrupts(),
        started=started,
        clock=clock,
    )
    return Played(result, heart.events, made)


def recipe_of(*steps: str, name: str = "t", more: str = "") -> str:
    """Return a recipe with one test of these steps, each a flow mapping."""
    lines = "".join(f"      - {step}\n" for step in steps)
    return f"tests:\n  - test: {name}\n{more}    steps:\n{lines}"
