"""Checks that every bench of a play has the devices that its steps ask for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from runner.api.address import names_device
from runner.api.module import Module
from runner.document import Scalar
from runner.errors import Fault, Faults, did_you_mean
from runner.misfits import known, note
from runner.model import Bench, Block, Call, Parallel, Step, Use
from runner.recipe.devices import Path, Problem, named, survey_devices
from runner.recipe.fields import inside
from runner.recipe.reading import Chain

_NOTHING_OFFERS = "E271"


class DeviceCheck:
    """Fills the slots of each module on each bench, and remembers what it has seen to be right."""

    def __init__(self, benches: Sequence[Bench], faults: Faults) -> None:
        """Check for these benches."""
        self._benches = {bench.name: bench for bench in benches}
        self._faults = faults
        self._right: set[tuple[object, ...]] = set()
        self._called: set[tuple[object, ...]] = set()
        self.guarded = False
        """True below a condition: a bench without the device may not get there."""

    def check(self, steps: Iterable[Step]) -> None:
        """Check steps and those inside them."""
        self._steps(steps, tuple(self._benches), self.guarded, ())

    def _steps(self, steps: Iterable[Step], benches: tuple[str, ...], guarded: bool, chain: Chain) -> None:
        for step in steps:
            where = self._where(step, benches)
            conditional = guarded or step.when is not None
            match step.what:
                case Use() as use:
                    if use.verb.slots:
                        self._use(use, step, where, conditional, chain)
                    self._leads(use, step, where, chain)
                case Block(steps=first, rescue=rescue, always=always):
                    self._steps((*first, *rescue, *always), where, conditional, chain)
                case Parallel(steps=inner):
                    self._steps(inner, where, conditional, chain)
                case Call() as call:
                    self._call(call, step, where, conditional, chain)

    def _call(self, call: Call, step: Step, benches: tuple[str, ...], guarded: bool, chain: Chain) -> None:
        key = (call.action.name, benches, guarded)
        if key not in self._called:
            self._called.add(key)
            inner = (*chain, (f"action {call.action.name!r} is called", step.at))
            self._steps(call.action.steps, benches, guarded, inner)

    def _where(self, step: Step, benches: tuple[str, ...]) -> tuple[str, ...]:
        """Return the benches on which a step may run."""
        node = step.bench
        if not isinstance(node, Scalar):
            return benches
        if node.templated:
            return ()
        name = str(node.value)
        if name in self._benches or not self._benches:
            return (name,) if self._benches else ()
        self._faults.add(
            "E275",
            f"bench {name!r} is not one of this play's",
            at=inside(node),
            hint=did_you_mean(name, self._benches) or f"they are: {', '.join(self._benches)}",
        )
        return ()

    def _use(self, use: Use, step: Step, benches: tuple[str, ...], guarded: bool, chain: Chain) -> None:
        wishes = tuple(
            (name, node.value if isinstance(node, Scalar) else id(node)) for name, node in use.devices.items()
        )
        for name in benches:
            key = (use.verb.name, wishes, name)
            if key in self._right and not _overrides(use, "misfits_on"):
                continue
            paths, faults = survey_devices(use, self._benches[name])
            wrong = [fault for fault in faults if not (guarded and fault.code == _NOTHING_OFFERS)]
            if wrong:
                self._say(wrong, step, chain)
                return
            if not faults:
                self._right.add(key)
                self._misfits(use, paths, self._benches[name], step, chain)

    def _leads(self, use: Use, step: Step, benches: tuple[str, ...], chain: Chain) -> None:
        """Note the name of a device that a bench does not have, where an address could stand, too."""
        if not _overrides(use, "leads_to"):
            return
        given = known(use.verb.parameters, use.arguments)
        argument = use.verb.cls.leads_to(given)
        wish = given.get(argument)
        if not isinstance(wish, str) or not names_device(wish):
            return
        for name in benches:
            found = named(wish, "Network", self._benches[name])
            if isinstance(found, Problem):
                at = use.arguments[argument].node.at
                self._say([found.fault(use.verb.name, at)], step, chain)
                return

    def _misfits(self, use: Use, paths: Mapping[str, Path], bench: Bench, step: Step, chain: Chain) -> None:
        """Note arguments that do not fit the devices that they would meet on a bench."""
        if not _overrides(use, "misfits_on"):
            return
        options = {slot: _options(path, bench) for slot, path in paths.items() if isinstance(path, str)}
        found = Faults()
        told = use.verb.cls.misfits_on(known(use.verb.parameters, use.arguments), options)
        note(told, use.arguments, found, owner=use.verb.name, at=step.at)
        self._say(found, step, chain)

    def _say(self, faults: Iterable[Fault], step: Step, chain: Chain) -> None:
        for fault in faults:
            self._faults.add(fault.code, fault.message, at=fault.at or step.at, hint=fault.hint, chain=chain)


def _overrides(use: Use, name: str) -> bool:
    """Tell whether a module has a class method of its own."""
    return getattr(use.verb.cls, name).__func__ is not getattr(Module, name).__func__


def _options(path: str, bench: Bench) -> Mapping[str, Any]:
    """Return the options of a device that are known before the run; none of a part of a device."""
    device = bench.devices.get(path)
    if device is None or device.driver is None:
        return {}
    return known(device.driver.parameters, device.options)
