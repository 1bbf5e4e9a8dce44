"""Takes benches so that no two runs can ever wait for each other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Protocol

from runner.engine.cancel import Cancellation, Deadline


class Securable(Protocol):
    """A bench that can be taken ahead of its play."""

    @property
    def name(self) -> str:
        """Return its name."""

    def secure(self, wait: float, cancel: Cancellation | None = None) -> bool:
        """Take it within `wait` seconds; tell whether it is ours."""

    def let_go(self) -> None:
        """Give it back."""


def take_all(benches: Sequence[Securable], limit: Deadline) -> None:
    """Take every bench, one after the other in the order of their names, as every run does."""
    for each in sorted(benches, key=_name):
        each.secure(limit.left)


def take_some(benches: Sequence[Securable], wanted: int, limit: Deadline, cancel: Cancellation) -> list[str]:
    """Take so many of the benches, free ones at once, else the first that come free; return their names.

    While some are held, only those with a later name are waited for: circles cannot form.
    """
    free = _until_enough(benches, wanted, lambda each: each.secure(0.0))
    if len(free) == wanted or limit.left == 0 or cancel.cause is not None:
        return [each.name for each in free]
    for each in free:
        each.let_go()
    return [each.name for each in _in_order(sorted(benches, key=_name), wanted, limit, cancel)]


def _until_enough(
    benches: Sequence[Securable], wanted: int, had: Callable[[Securable], bool]
) -> list[Securable]:
    found: list[Securable] = []
    for each in benches:
        if len(found) < wanted and had(each):
            found.append(each)
    return found


def _in_order(
    benches: Sequence[Securable], wanted: int, limit: Deadline, cancel: Cancellation
) -> list[Securable]:
    taken: list[Securable] = []
    begin = 0
    while len(taken) < wanted:
        window = benches[begin : len(benches) - (wanted - len(taken)) + 1]
        first = _first_of(window, limit, cancel)
        if first is None:
            break
        taken.append(first)
        begin = benches.index(first) + 1
    return taken


def _first_of(benches: Sequence[Securable], limit: Deadline, cancel: Cancellation) -> Securable | None:
    """Stand in every queue at once, and leave the others when it is our turn in one."""
    enough = Cancellation(cancel)
    ended: SimpleQueue[Securable | None] = SimpleQueue()

    def wait(each: Securable) -> None:
        had = False
        try:
            had = each.secure(limit.left, enough)
        finally:
            ended.put(each if had else None)

    for each in benches:
        threading.Thread(target=wait, args=(each,), name=f"queue for {each.name}", daemon=True).start()
    first: Securable | None = None
    for _ in benches:
        found = ended.get()
        if first is None and found is not None:
            first = found
            enough.cancel(f"bench {found.name} came free first")
        elif found is not None:
            found.let_go()
    enough.close()
    return first


def _name(bench: Securable) -> str:
    return bench.name
