"""What every reader of a recipe is given: modules, actions, and where faults go."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from runner.declaration import Verb
from runner.document import Node
from runner.errors import Faults, InputError, Location
from runner.loader.fence import Fence
from runner.model import Action, Bound
from runner.registry import Registry

Chain = tuple[tuple[str, Location], ...]


class ChainedFaults(Faults):
    """Passes faults on with the chain of imports that led to them."""

    def __init__(self, outer: Faults, chain: Chain) -> None:
        """Pass faults on to `outer`."""
        super().__init__()
        self._outer = outer
        self._chain = chain

    def add(
        self, code: str, message: str, *, at: Location | None = None, hint: str = "", chain: Chain = ()
    ) -> None:
        """Note a fault, with the chain in front of its own."""
        self._outer.add(code, message, at=at, hint=hint, chain=(*self._chain, *chain))

    def extend(self, error: InputError) -> None:
        """Take over the faults of an error that was raised below."""
        for fault in error.faults:
            self.add(fault.code, fault.message, at=fault.at, hint=fault.hint, chain=fault.chain)

    def __len__(self) -> int:
        """Return how many there are, those of the others included."""
        return len(self._outer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What ``defaults:`` of a play says about one module."""

    arguments: Mapping[str, Bound]
    devices: Mapping[str, Node]


class Verbs:
    """The modules of a registry; a file that cannot be imported is told once, where it is first used."""

    def __init__(self, registry: Registry) -> None:
        """Look modules up in `registry`."""
        self._registry = registry
        self._found: dict[str, Verb | None] = {}
        self._broken: set[str] = set()

    def find(self, name: str, faults: Faults) -> Verb | None:
        """Return a module, or None when there is none or its file is broken."""
        if name not in self._found:
            self._found[name] = self._looked_up(name, faults)
        return self._found[name]

    def _looked_up(self, name: str, faults: Faults) -> Verb | None:
        try:
            return self._registry.verb(name)
        except InputError as error:
            faults.extend(error)
            self._broken.add(name)
            return None

    def broken(self, name: str) -> bool:
        """Tell whether a module exists, but its file could not be used (which has been told)."""
        return name in self._broken

    def names(self) -> tuple[str, ...]:
        """Return the names of all modules."""
        return self._registry.verb_names()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The surroundings of what is being read.

    `action`: finds an action that the file may use (its name, and where faults go).
    `loops`: the loop variables in use around this place. `bounded`: a limit in time holds
    here, so that ``until`` ends. `fence`: what a recipe that is not trusted may read.
    `short`: these are the tests of the short form.
    """

    verbs: Verbs
    faults: Faults
    action: Callable[[str, Location], Action | None]
    actions: Callable[[], tuple[str, ...]]
    defaults: Mapping[str, Defaults] = field(default_factory=dict)
    loops: frozenset[str] = frozenset()
    bounded: bool = False
    fence: Fence | None = None
    short: bool = False

    def within(self, loop_variable: str) -> Reading:
        """Return what the steps inside a block see; the name is empty when it does not loop."""
        loops = self.loops | {loop_variable} if loop_variable else self.loops
        return dataclasses.replace(self, loops=loops, short=False)
