"""A plan: which cases run on which benches, with nothing left to look up by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runner.agent.calls import Configure
from runner.api.values import Duration
from runner.document import Node
from runner.engine.options import PlayOptions
from runner.model import Bench, Inventory, Play, Recipe, Rung, Step, Test


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test with one row of its matrix; which bench plays it says the schedule.

    `label` is the part of its id before the ``@``: ``recipe::test name[matrix]``.
    """

    label: str
    test: Test
    row: Mapping[str, Any] = field(default_factory=dict)

    def id(self, bench: str) -> str:
        """Return the id of this case on a bench."""
        return f"{self.label}@{bench}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBench:
    """A bench with its options rendered. `nodes` and `values` are its variables in this play."""

    bench: Bench
    configure: Configure
    drivers: Mapping[str, str]
    simulated: tuple[str, ...]
    locked: bool
    """True when it must be taken before use; False when all its instruments are made for this run."""
    values: Mapping[str, Any]
    nodes: Mapping[str, Node]
    pinned: Mapping[str, Any] = field(default_factory=dict)
    """Values of ``-e``, which win over everything."""
    on_acquire: tuple[Step, ...] = ()
    on_release: tuple[Step, ...] = ()
    recover: tuple[Rung, ...] = ()
    """The ladder of recovery, from the mildest rung up."""
    hold: Duration | None = None
    """How long this play may have the bench; its host sees to that. None: as long as it takes."""
    hold_origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPlay:
    """A play with its benches and cases, in the order in which they are played."""

    play: Play
    recipe: Recipe
    benches: tuple[PlannedBench, ...]
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that `play` needs to know."""

    plays: tuple[PlannedPlay, ...]
    inventory: Inventory
    options: PlayOptions
    notes: tuple[str, ...] = ()
    """What the user should know, though nothing is wrong (benches out of service)."""

    def case_ids(self) -> tuple[str, ...]:
        """Return the id of every case, as far as the benches are known before the run."""
        return tuple(
            case.id(planned.bench.name)
            for play in self.plays
            for planned in play.benches
            for case in play.cases
        )
