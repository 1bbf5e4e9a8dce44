"""Makes the plan: selects benches and cases, gives variables their values, renders device options."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runner.agent.calls import Configure, DeviceSpec, WatchSpec
from runner.api.codec import encode_argument
from runner.api.values import Duration
from runner.document import Node
from runner.engine.ladder import read_ladder
from runner.engine.options import PlayOptions
from runner.engine.plan import Case, Plan, PlannedBench, PlannedPlay
from runner.engine.scope import Scope
from runner.engine.wiring import Wires, wired
from runner.engine.written import secrets_in
from runner.errors import Fault, Faults, InputError
from runner.inventory.select import select
from runner.inventory.variables import bench_names
from runner.masking import Masker
from runner.model import UNBOUND, Bench, Block, Device, Inventory, Parallel, Play, Recipe, Step, Test
from runner.recipe.params import check_extra, param_values
from runner.recipe.read import read_steps
from runner.recipe.static import check_steps, survey_names
from runner.registry import Registry
from runner.schema import convert_value
from runner.template import RenderError, Templates


class NoBench(Exception):
    """Every bench that the recipe could use is out of service: exit 4."""


def make_plan(
    recipes: Sequence[Recipe],
    inventory: Inventory,
    options: PlayOptions,
    *,
    registry: Registry,
    templates: Templates,
    masker: Masker,
    environment: Mapping[str, str],
    faults: Faults | None = None,
) -> Plan:
    """Return a plan in which every name is resolved; raise InputError with all that is wrong.

    `faults`: what reading the recipes has found so far; it is told with the rest.
    Raises NoBench when a play's benches are all out of service.
    """
    faults = Faults() if faults is None else faults
    notes: list[str] = []
    plays: list[PlannedPlay] = []
    for recipe in recipes:
        chosen = [_benches(play, inventory, options, notes, faults) for play in recipe.plays]
        survey_names(
            recipe,
            dict(enumerate(chosen)),
            options.extra,
            templates,
            faults,
            trusted=options.untrusted is None,
        )
        for play, benches in zip(recipe.plays, chosen, strict=True):
            planner = _Planner(recipe, play, options, registry, templates, masker, environment, faults)
            plays.append(planner.plan(benches))
    _refuse_unknown_extra(recipes, plays, options, faults)
    faults.raise_if_any()
    return Plan(plays=tuple(plays), inventory=inventory, options=options, notes=tuple(notes))


def _refuse_unknown_extra(
    recipes: Sequence[Recipe], plays: Sequence[PlannedPlay], options: PlayOptions, faults: Faults
) -> None:
    try:
        check_extra(recipes, options.extra, [planned.bench for play in plays for planned in play.benches])
    except InputError as error:
        faults.extend(error)


def _benches(
    play: Play, inventory: Inventory, options: PlayOptions, notes: list[str], faults: Faults
) -> tuple[Bench, ...]:
    try:
        chosen = select(play.benches, inventory, play.benches_at)
        if options.limit:
            wanted = {bench.name for bench in select(options.limit, inventory, None)}
            chosen = tuple(bench for bench in chosen if bench.name in wanted)
    except InputError as error:
        faults.extend(error)
        return ()
    if not chosen:
        faults.add(
            "E420",
            f"no bench is selected by {play.benches!r}" + _limited(options),
            at=play.benches_at or play.at,
        )
        return ()
    usable = tuple(bench for bench in chosen if not bench.out_of_service)
    out = [
        f"bench {bench.name} is out of service: {bench.out_of_service}"
        for bench in chosen
        if bench.out_of_service
    ]
    notes.extend(out)
    if not usable:
        raise NoBench("; ".join(out))
    if play.take is not None and play.take > len(usable):
        faults.add("E421", f"take: {play.take} of {len(usable)} benches", at=play.at)
    return usable


def _limited(options: PlayOptions) -> str:
    return f" and --limit {options.limit!r}" if options.limit else ""


class _Planner:
    """Plans one play."""

    def __init__(
        self,
        recipe: Recipe,
        play: Play,
        options: PlayOptions,
        registry: Registry,
        templates: Templates,
        masker: Masker,
        environment: Mapping[str, str],
        faults: Faults,
    ) -> None:
        self._recipe = recipe
        self._play = play
        self._options = options
        self._registry = registry
        self._templates = templates
        self._masker = masker
        self._environment = environment
        self._faults = faults

    def plan(self, benches: Sequence[Bench]) -> PlannedPlay:
        """Plan the play on these benches."""
        play = self._play
        if play.strategy == "lockstep" and (self._options.parallel or play.max_parallel):
            self._faults.add(
                "E242", "lockstep needs all benches at once: it cannot have max_parallel", at=play.at
            )
        values, nodes = param_values(play, self._options.extra, self._environment, self._faults)
        self._hide_params(values)
        _hide((play, self._recipe.actions), self._masker)
        return PlannedPlay(
            play=play,
            recipe=self._recipe,
            benches=tuple(self._bench(bench, values, nodes) for bench in benches),
            cases=tuple(select_cases(self._recipe, play, self._options)),
        )

    def _hide_params(self, values: Mapping[str, Any]) -> None:
        for name, param in self._play.params.items():
            if param.parameter.secret and values.get(name):
                self._masker.add(str(values[name]))

    def _refuse_unobeyed(self, bench: Bench) -> None:
        host = bench.host
        refused = {
            "cache": host.local and bool(host.options.get("cache")),
            "python": host.local and "python" in host.options,
        }
        for name in (each for each, said in refused.items() if said):
            where = "" if name == "policy" else " of this machine"
            self._faults.add("E299", f"host {host.name!r}: {name!r}{where} is not supported yet", at=host.at)

    def _hold(self, bench: Bench) -> tuple[Duration | None, str]:
        """Return how long the play may have a bench, and where that is written."""
        play, longest = self._play, bench.max_hold
        own = longest is not None and f"the bench's max_hold of {longest} ({bench.at})"
        if play.reserve_hold is None:
            return longest, own or ""
        hold = f"'hold' of {play.reserve_hold} in the play's 'reserve' ({play.at})"
        if longest is not None and play.reserve_hold > longest:
            self._faults.add(
                "E425",
                f"bench {bench.name!r} may be held for {longest}, and 'reserve' asks to hold it for "
                f"{play.reserve_hold}",
                at=play.at,
                hint=f"ask for less, or change max_hold of the bench ({bench.at})",
            )
        return play.reserve_hold, hold

    def _bench(self, bench: Bench, values: Mapping[str, Any], defaults: Mapping[str, Node]) -> PlannedBench:
        self._refuse_unobeyed(bench)
        hold, hold_origin = self._hold(bench)
        layers: dict[str, Node] = dict(defaults)
        for definition in (*bench.variables, *self._play.variables):
            layers[definition.name] = definition.node
            _hide(definition.node, self._masker)
        given = {
            name: value for name, value in values.items() if name in self._options.extra or name not in layers
        }
        names = Scope(self._templates, values={"bench": bench_names(bench)}).child(values=given, nodes=layers)
        real = {name: device for name, device in bench.devices.items() if device.driver is not None}
        wires = wired(bench, self._faults)
        return PlannedBench(
            bench=bench,
            configure=Configure(
                bench=bench.name,
                devices={name: self._spec(device, names, wires[name]) for name, device in real.items()},
                aliases={name: device.ref for name, device in bench.devices.items() if device.ref},
                watch=self._watch(),
                policy=str(bench.host.options.get("policy", "")),
            ),
            drivers={name: device.driver.name for name, device in real.items() if device.driver},
            simulated=tuple(
                name for name, device in real.items() if device.driver and device.driver.simulated
            ),
            locked=any(device.driver and not device.driver.private for device in real.values()),
            values=given,
            nodes=layers,
            pinned={name: values[name] for name in self._options.extra if name in values},
            hold=hold,
            hold_origin=hold_origin,
            on_acquire=self._bench_steps(bench, bench.on_acquire, "on_acquire"),
            on_release=self._bench_steps(bench, bench.on_release, "on_release"),
            recover=read_ladder(
                bench.recover, lambda node: self._bench_steps(bench, node, "recover"), self._faults
            ),
        )

    def _watch(self) -> WatchSpec | None:
        watch = self._play.watch
        return WatchSpec(watch.allow, watch.added) if watch.enabled else None

    def _bench_steps(self, bench: Bench, node: Node | None, key: str) -> tuple[Step, ...]:
        if node is None:
            return ()
        try:
            steps = read_steps(node, self._registry, prefix=f"{bench.name}.{key}")
            check_steps(steps, bench, self._templates)
        except InputError as error:
            self._faults.extend(error)
            return ()
        return steps

    def _spec(self, device: Device, names: Scope, wires: Wires) -> DeviceSpec:
        values: dict[str, Any] = {}
        for name, bound in device.options.items():
            _hide(bound.node, self._masker)
            value = bound.value
            if value is UNBOUND:
                try:
                    value = convert_value(
                        bound.parameter, self._templates.render(bound.node, names), bound.node.at
                    )
                except RenderError as error:
                    self._faults.add(
                        "E450", f"device {device.name!r}, {name}: {error.message}", at=bound.node.at
                    )
                    continue
                except ValueError as error:
                    self._faults.add("E451", f"device {device.name!r}, {name}: {error}", at=bound.node.at)
                    continue
            if bound.parameter.secret and value:
                self._masker.add(str(value))
            values[name] = value
        self._check_together(device, values)
        driver = device.driver
        return DeviceSpec(
            driver=driver.name if driver else "",
            path=driver.path if driver else "",
            options={name: encode_argument(value) for name, value in values.items()},
            devices=wires,
        )

    def _check_together(self, device: Device, values: Mapping[str, Any]) -> None:
        """Note which options do not fit the others; without all of them nobody can tell."""
        if device.driver is None or len(values) < len(device.options):
            return
        slots = dict.fromkeys(slot.name for slot in device.driver.slots)
        for name, wrong in device.driver.cls(**values, **slots).wrong_options().items():
            at = device.options[name].node.at if name in device.options else device.at
            self._faults.add("E452", f"device {device.name!r}, {name}: {wrong}", at=at)


def _hide(written: object, masker: Masker) -> None:
    for secret in secrets_in(written):
        masker.add(secret)


def select_cases(recipe: Recipe, play: Play, options: PlayOptions) -> Iterator[Case]:
    """Return the cases of a play that the options ask for, in the order to play them."""
    cases = [
        Case(label=_label(recipe, play, test, row), test=test, row=row)
        for test in play.tests
        for row in test.matrix
    ]
    chosen = _with_required(cases, [case for case in cases if _wanted(case, play, options)])
    chosen = _from(chosen, options)
    if options.shard is not None:
        part, parts = options.shard
        chosen = chosen[part - 1 :: parts]
    if options.shuffle is not None:
        random.Random(options.shuffle).shuffle(chosen)
        chosen = _requirements_first(chosen)
    return iter(chosen)


def _label(recipe: Recipe, play: Play, test: Test, row: Mapping[str, Any]) -> str:
    several = len(recipe.plays) > 1 and bool(play.name)
    stem = f"{recipe.name}::{play.name}" if several else recipe.name
    matrix = f"[{','.join(f'{name}={value}' for name, value in row.items())}]" if row else ""
    return f"{stem}::{test.id or test.name}{matrix}"


def _wanted(case: Case, play: Play, options: PlayOptions) -> bool:
    tags = {*case.test.tags, *play.tags}
    if options.skip_tags and tags & set(options.skip_tags):
        return False
    if options.tags and not (tags | _step_tags(case.test.steps)) & set(options.tags):
        return False
    if options.names and not any(
        name.lower() in case.label.partition("::")[2].lower() for name in options.names
    ):
        return False
    return options.only is None or any(each.rpartition("@")[0] == case.label for each in options.only)


def _step_tags(steps: Sequence[Step]) -> set[str]:
    found: set[str] = set()
    for step in steps:
        found.update(step.tags)
        if isinstance(step.what, Block):
            found |= _step_tags((*step.what.steps, *step.what.rescue, *step.what.always))
        elif isinstance(step.what, Parallel):
            found |= _step_tags(step.what.steps)
    return found


def _with_required(cases: Sequence[Case], chosen: Sequence[Case]) -> list[Case]:
    """Add what the chosen cases require, and what that requires."""
    names = {case.test.name for case in chosen}
    needed = list(chosen)
    while needed:
        wanted = {name for case in needed for name in case.test.requires} - names
        names |= wanted
        needed = [case for case in cases if case.test.name in wanted]
        chosen = [*chosen, *needed]
    kept = {id(case) for case in chosen}
    return [case for case in cases if id(case) in kept]


def _from(cases: list[Case], options: PlayOptions) -> list[Case]:
    if not options.start_at:
        return cases
    for index, case in enumerate(cases):
        if options.start_at in {case.test.name, case.test.id}:
            return cases[index:]
    raise InputError([Fault(code="E520", message=f"no test {options.start_at!r} to start from (--from)")])


def _requirements_first(cases: list[Case]) -> list[Case]:
    """Keep the order, but put every case behind those it requires."""
    placed: list[Case] = []
    waiting = list(cases)
    known = {case.test.name for case in cases}
    while waiting:
        done = {case.test.name for case in placed}
        left = {case.test.name for case in waiting}
        for case in waiting:
            missing = {
                name for name in case.test.requires if name in known and (name not in done or name in left)
            }
            if not missing:
                placed.append(case)
                waiting.remove(case)
                break
        else:
            return placed + waiting
    return placed
