"""Where a step runs: its bench, case, names, limits, and what its scope still has to do."""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass, field

from runner.engine.background import Background
from runner.engine.cancel import Cancellation, Deadline
from runner.engine.scope import Scope
from runner.model import Step
from runner.result import Attempt, Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The surroundings of steps in one scope: a test, a block, an action, a setup.

    `names`: for look-ups; `home`: where registers and `set` go. `deferred`: steps to run
    at the end of the scope, with the names they had. `background`: steps that go on
    while later ones run, by name. `attempts`: steps of the case that were tried again add
    here. `closing`: what is closed when the test, or the play, is over.
    """

    names: Scope
    home: Scope
    cancel: Cancellation
    deadline: Deadline
    phase: Phase
    case: str = ""
    depth: int = 0
    clean_up: bool = False
    """Whether these steps are done whatever happens."""
    deferred: list[tuple[Step, Scope]] = field(default_factory=list)
    background: dict[str, Background] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    closing: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def inner(self, *, names: Scope, home: Scope | None = None, cancel: Cancellation | None = None) -> Frame:
        """Make the frame of a scope inside this one, with nothing deferred yet."""
        return dataclasses.replace(
            self,
            names=names,
            home=home or self.home,
            cancel=cancel or self.cancel,
            depth=self.depth + 1,
            deferred=[],
            background={},
        )

    def seeing(self, names: Scope) -> Frame:
        """Make a frame with other names and the same everything else."""
        return self if names is self.names else self._with(names, self.cancel)

    def under(self, cancel: Cancellation) -> Frame:
        """Make a frame with another token and the same everything else."""
        return self._with(self.names, cancel)

    def _with(self, names: Scope, cancel: Cancellation) -> Frame:
        """Do what `dataclasses.replace` does, in half the time: every step needs it."""
        return Frame(
            names=names,
            home=self.home,
            cancel=cancel,
            deadline=self.deadline,
            phase=self.phase,
            case=self.case,
            depth=self.depth,
            clean_up=self.clean_up,
            deferred=self.deferred,
            background=self.background,
            attempts=self.attempts,
            closing=self.closing,
        )

    def cleaning(self, cancel: Cancellation, deadline: Deadline) -> Frame:
        """Make a frame for clean-up, which the end of the scope's time does not stop."""
        return dataclasses.replace(
            self, cancel=cancel, deadline=deadline, clean_up=True, deferred=[], background={}
        )
