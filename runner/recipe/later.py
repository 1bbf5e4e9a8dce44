"""Names that steps make, wherever they stand: for saying where a name would be known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from runner.document import MapNode
from runner.errors import Location
from runner.model import Block, Parallel, Play, Step, Test, Use


def all_steps(steps: Iterable[Step]) -> Iterator[Step]:
    """Go through steps and those inside them."""
    for step in steps:
        yield step
        match step.what:
            case Block(steps=first, rescue=rescue, always=always):
                yield from all_steps((*first, *rescue, *always))
            case Parallel(steps=inner):
                yield from all_steps(inner)


def uses_other_benches(play: Play) -> bool:
    """Tell whether any step of a play goes to another bench of it."""
    inside = (step for test in play.tests for step in (*test.setup, *test.steps, *test.teardown))
    return any(step.bench is not None for step in all_steps((*play.setup, *inside, *play.teardown)))


def registers_of(steps: Iterable[Step]) -> dict[str, Location]:
    """Return every name that these steps make: registers, values of ``set``, loop variables."""
    found: dict[str, Location] = {}
    for step in all_steps(steps):
        if step.register:
            found.setdefault(step.register, step.at)
        if step.loop is not None:
            found.setdefault(step.loop.variable, step.loop.over.at)
        found.update({name: step.at for name in step.variables if name not in found})
        if isinstance(step.what, Use) and step.what.verb.defines:
            rest = step.what.arguments.get(step.what.verb.defines)
            for name in rest.node.names() if rest is not None and isinstance(rest.node, MapNode) else ():
                found.setdefault(name, step.at)
    return found


def tell_elsewhere(play: Play, here: Test | None) -> Mapping[str, str]:
    """Say of every register of a play why it may be unknown at a place in the test `here`."""
    found: dict[str, str] = {}
    for test in play.tests:
        if test is here or (play.chained and here is not None):
            continue
        for name, at in _made(test).items():
            found[name] = f"it is made in test {test.name!r} ({at}): share it by making it in 'setup'"
    if here is not None:
        later = play.tests if play.chained else (here,)
        for test in later:
            found.update({name: f"it is made by a later step, at {at}" for name, at in _made(test).items()})
    found.update(
        {name: f"it is made in the teardown, at {at}" for name, at in registers_of(play.teardown).items()}
        if here is not None
        else {}
    )
    return found


def _made(test: Test) -> dict[str, Location]:
    made: dict[str, Location] = {}
    for step in all_steps((*test.setup, *test.steps, *test.teardown)):
        if step.register:
            made.setdefault(step.register, step.at)
    return made
