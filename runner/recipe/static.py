"""Checks a recipe against the benches that it will run on: names, fields, devices."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence

from runner.document import Node
from runner.errors import Faults
from runner.model import Bench, Play, Recipe, Step, Test
from runner.recipe.action_check import ActionChecks
from runner.recipe.device_check import DeviceCheck
from runner.recipe.later import all_steps, registers_of, tell_elsewhere
from runner.recipe.lookup import Lookup
from runner.recipe.names import Known, Names
from runner.recipe.play_names import bench_names, built_in_names, play_names
from runner.recipe.shapes import common, of_value
from runner.recipe.walk import Walk, variable
from runner.template import Templates

Benches = Mapping[int, tuple[Bench, ...]]


def check_names(recipe: Recipe, benches: Benches, extra: Mapping[str, object], templates: Templates) -> None:
    """Raise InputError for every name, field and device that will not be there in the run.

    `benches`: for each play, by its index, the benches that it may run on.
    """
    faults = Faults()
    survey_names(recipe, benches, extra, templates, faults)
    faults.raise_if_any()


def survey_names(
    recipe: Recipe,
    benches: Benches,
    extra: Mapping[str, object],
    templates: Templates,
    faults: Faults,
    *,
    trusted: bool = True,
) -> None:
    """Note the same faults in `faults`, also for a recipe that is known to be incomplete, or not trusted."""
    everywhere = {bench.name: bench for group in benches.values() for bench in group}
    actions = ActionChecks(recipe.actions, built_in_names(tuple(everywhere.values())), templates, faults)
    for index, play in enumerate(recipe.plays):
        _PlayCheck(
            play,
            benches.get(index, ()),
            extra=extra,
            templates=templates,
            actions=actions,
            faults=faults,
            trusted=trusted,
        ).check()
    actions.check_all()


def check_steps(steps: Sequence[Step], bench: Bench, templates: Templates) -> None:
    """Raise InputError for what will not be there in steps of a bench (``on_acquire`` and the like)."""
    faults = Faults()
    actions = ActionChecks({}, built_in_names((bench,)), templates, faults)
    lookup = Lookup(templates, faults)
    home = bench_names((bench,)).inner()
    Walk(lookup, faults, home, actions.shape_of).steps(steps, home)
    DeviceCheck((bench,), faults).check(steps)
    faults.raise_if_any()


class _PlayCheck:
    """Checks one play."""

    def __init__(
        self,
        play: Play,
        benches: Sequence[Bench],
        *,
        extra: Mapping[str, object],
        templates: Templates,
        actions: ActionChecks,
        faults: Faults,
        trusted: bool,
    ) -> None:
        self._play = play
        self._faults = faults
        self._actions = actions
        self._lookup = Lookup(templates, faults)
        self._lookup.lenient = not benches
        self._devices = DeviceCheck(benches, faults)
        self._base = play_names(play, benches, extra, trusted=trusted)
        self._benches = benches

    def check(self) -> None:
        """Go through the play in the order of the run."""
        play = self._play
        self._lookup.expression(play.when, self._base)
        self._devices.guarded = play.when is not None
        home = self._base.inner()
        self._steps(play.setup, home, home)
        for test in play.tests:
            self._test(test, home)
        self._tell_elsewhere(None)
        self._steps(play.teardown, home, home)
        self._definitions(home)

    def _test(self, test: Test, home: Names) -> None:
        self._tell_elsewhere(test)
        names = home.inner({name: variable(node) for name, node in test.variables.items()})
        names = names.inner(_matrix(test))
        lookup = self._lookup
        conditions = (test.when, test.skip and test.skip.when, test.xfail and test.xfail.when)
        lookup.expressions((each for each in conditions if each), names)
        own = home if self._play.chained else names.inner()
        visible = names if self._play.chained else own
        self._devices.guarded = self._play.when is not None or test.when is not None or test.skip is not None
        for steps in (test.setup, test.steps, test.teardown):
            self._steps(steps, own, visible)
        self._devices.guarded = self._play.when is not None

    def _steps(self, steps: Sequence[Step], home: Names, names: Names) -> None:
        Walk(self._lookup, self._faults, home, self._actions.shape_of).steps(steps, names)
        self._devices.check(steps)

    def _tell_elsewhere(self, test: Test | None) -> None:
        self._lookup.elsewhere = functools.cache(lambda: tell_elsewhere(self._play, test))

    def _definitions(self, home: Names) -> None:
        """Check variables that nobody may have used: each of their names must exist somewhere."""
        if not self._lookup.lenient:
            known = {*home, "result", *_all_names(self._play)}
            self._lookup.unused(_definitions(self._play), known)


def _matrix(test: Test) -> dict[str, Known]:
    names = {name for row in test.matrix for name in row}
    return {
        name: Known(
            kind="matrix variable",
            shape=common(of_value(row[name]) for row in test.matrix if name in row),
            at=test.at,
        )
        for name in names
    }


def _definitions(play: Play) -> Iterator[Node]:
    yield from (definition.node for definition in play.variables)
    yield from (param.default for param in play.params.values() if param.default is not None)
    for test in play.tests:
        yield from test.variables.values()
    for step in all_steps(_steps_of(play)):
        yield from step.variables.values()


def _steps_of(play: Play) -> Iterator[Step]:
    yield from play.setup
    for test in play.tests:
        yield from (*test.setup, *test.steps, *test.teardown)
    yield from play.teardown


def _all_names(play: Play) -> Iterator[str]:
    for test in play.tests:
        yield from test.variables
        yield from (name for row in test.matrix for name in row)
    yield from registers_of(_steps_of(play))
