"""What happened: events as they come, and the results that they fold into."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


class Outcome(enum.IntEnum):
    """How a step or case ended, from best to worst: the worst of several is their `max`."""

    PASSED = 0
    XFAILED = 1
    SKIPPED = 2
    FLAKY = 3
    XPASSED = 4
    FAILED = 5
    BLOCKED = 6
    ERROR = 7
    CANCELLED = 8

    @property
    def word(self) -> str:
        """The word of reports: ``passed``."""
        return self.name.lower()

    @property
    def good(self) -> bool:
        """True when it does not make the run fail by itself."""
        return self <= Outcome.FLAKY


Phase = Literal["acquire", "setup", "test", "recovery", "teardown", "release"]
Blame = Literal["", "board", "lab", "recipe", "crash", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why something did not pass, ready to be shown.

    `kind` is an error class (`runner.api.verdicts.ErrorClass`); `blame` says who can
    put it right; `at` is ``recipe.yaml:43:9``.
    """

    message: str
    kind: str = ""
    blame: Blame = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    hint: str = ""
    at: str = ""
    console: str = ""
    """The last console lines, stamped."""
    traceback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A number with its limits, as judged: ``pass``, ``marginal`` (in the warn band) or ``fail``."""

    name: str
    value: float
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    warn: float | None = None
    equals: float | None = None
    verdict: Literal["pass", "marginal", "fail"] = "pass"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSlice:
    """A part of a console's raw log: bytes `start` to `end` of `path` (relative to the run's folder)."""

    device: str
    path: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A try of a case, or of one `step` of it, that did not pass and after which there was another.

    `console` goes up to the next try, so it also has what was said during the recovery.
    """

    number: int
    outcome: Outcome
    problem: Problem
    seconds: float
    step: str = ""
    console: tuple[ConsoleSlice, ...] = ()
    recovery: tuple[str, ...] = ()
    """What was done before the next try, and how that ended: ``power_cycle: passed``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What every event has: `t`, seconds since the run began."""

    t: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Happened):
    """A run begins. `started` is UTC in ISO 8601."""

    run: str
    started: str
    version: str
    recipes: tuple[str, ...]
    folder: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayStarted(Happened):
    """A play begins with these benches and this many cases."""

    play: str
    recipe: str
    benches: tuple[str, ...]
    cases: int
    strategy: str = "free"
    take: int | None = None
    """How many of the benches are used; None for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchTaken(Happened):
    """A bench is ours now. `devices`: name to driver; `simulated`: names of those without hardware."""

    play: str
    bench: str
    host: str
    devices: Mapping[str, str] = field(default_factory=dict)
    simulated: tuple[str, ...] = ()
    waited: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchLost(Happened):
    """A bench cannot be used any more; its remaining cases are blocked."""

    play: str
    bench: str
    problem: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchReleased(Happened):
    """A bench was given back; `problem` when clean-up failed."""

    play: str
    bench: str
    problem: Problem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOpened(Happened):
    """An instrument was opened for the first time in this run."""

    bench: str
    device: str
    driver: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStarted(Happened):
    """A case begins, or begins again (`attempt` counts from 1)."""

    case: str
    play: str
    test: str
    bench: str
    recipe: str
    at: str
    attempt: int = 1
    matrix: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted(Happened):
    """A step begins. `depth` counts enclosing blocks; `case` is empty outside of tests."""

    step: str
    name: str
    verb: str
    bench: str
    case: str
    phase: Phase
    at: str
    depth: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished(Happened):
    """A step ended. `result` is its result as JSON, cut to a readable size (and saying so)."""

    step: str
    name: str
    verb: str
    bench: str
    case: str
    phase: Phase
    at: str
    depth: int = 0
    outcome: Outcome
    seconds: float
    problem: Problem | None = None
    ignored: bool = False
    reason: str = ""
    """Why it was skipped."""
    result: Any = None
    measures: tuple[Measured, ...] = ()
    attempts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Happened):
    """How far a long step is."""

    step: str
    bench: str
    case: str
    done: float
    total: float | None = None
    unit: str = "B"


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged(Happened):
    """A module, the recipe or runner itself said something."""

    text: str
    level: Literal["debug", "info", "warning", "error"] = "info"
    bench: str = ""
    case: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactSaved(Happened):
    """A file was put into the run's folder."""

    path: str
    bench: str = ""
    case: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFinished(Happened):
    """A case ended; `attempts` has each bad one before the last, `console` is that of the last."""

    case: str
    play: str
    test: str
    bench: str
    recipe: str
    at: str
    outcome: Outcome
    seconds: float
    problem: Problem | None = None
    reason: str = ""
    attempts: tuple[Attempt, ...] = ()
    console: tuple[ConsoleSlice, ...] = ()
    matrix: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)
    simulated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayFinished(Happened):
    """A play ended, clean-up included; `problems` of its teardown and release."""

    play: str
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Happened):
    """A run ended with this exit code; `counts`: outcome word to number of cases."""

    seconds: float
    exit_code: int
    counts: Mapping[str, int]
    problem: Problem | None = None


Event = (
    RunStarted
    | PlayStarted
    | BenchTaken
    | BenchLost
    | BenchReleased
    | DeviceOpened
    | CaseStarted
    | StepStarted
    | StepFinished
    | Progress
    | Logged
    | ArtifactSaved
    | CaseFinished
    | PlayFinished
    | RunFinished
)
