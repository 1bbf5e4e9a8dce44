"""Reads the ladder of recovery of a bench: ``recover: [ctrl_c, power_cycle, quarantine]``."""

from __future__ import annotations

from collections.abc import Callable

from runner.document import Entry, ListNode, MapNode, Node, Scalar
from runner.errors import Faults
from runner.model import Quarantining, Rung, Step

_QUARANTINE = "quarantine"
_EXAMPLE = "write recover: [ctrl_c, power_cycle, quarantine]"


def read_ladder(
    node: Node | None, read_steps: Callable[[Node], tuple[Step, ...]], faults: Faults
) -> tuple[Rung, ...]:
    """Return the rungs, from the mildest up; `read_steps` reads and checks those that are steps.

    A bare word is a module without arguments; ``quarantine`` is the last rung, if any.
    """
    if node is None:
        return ()
    if not isinstance(node, ListNode):
        faults.add("E424", "recover is a list of what is tried in turn", at=node.at, hint=_EXAMPLE)
        return ()
    written = [each for item in node.items if (each := _as_mapping(item, faults)) is not None]
    last = _quarantining(written[-1], faults) if written else None
    steps = written if last is None else written[:-1]
    for each in steps:
        if each.get(_QUARANTINE) is not None:
            faults.add("E424", "'quarantine' ends the ladder: nothing comes after it", at=each.at)
            return ()
    rungs = read_steps(ListNode(at=node.at, items=tuple(steps), templated=node.templated)) if steps else ()
    for rung in rungs:
        _refuse_unfit(rung, faults)
    return (*rungs, last) if last is not None else rungs


def _as_mapping(item: Node, faults: Faults) -> MapNode | None:
    """Turn a bare word into the step without arguments that it stands for."""
    if isinstance(item, MapNode):
        return item
    if isinstance(item, Scalar) and isinstance(item.value, str) and item.value.isidentifier():
        nothing = Scalar(at=item.at, value=None, text="")
        return MapNode(at=item.at, entries=(Entry(key=item, value=nothing),), templated=False)
    faults.add("E424", "a rung of recover is a module, with or without arguments", at=item.at, hint=_EXAMPLE)
    return None


def _quarantining(written: MapNode, faults: Faults) -> Quarantining | None:
    value = written.get(_QUARANTINE)
    if value is None:
        return None
    reason = value.get("reason") if isinstance(value, MapNode) else value
    known = not isinstance(value, MapNode) or value.names() == ("reason",)
    if len(written) > 1 or not known or not isinstance(reason, Scalar) or reason.templated:
        hint = "write quarantine, or quarantine: {reason: why}"
        faults.add("E424", "'quarantine' takes a reason and nothing else", at=written.at, hint=hint)
        return None
    return Quarantining(at=written.at, reason="" if reason.value is None else reason.text)


def _refuse_unfit(rung: Step, faults: Faults) -> None:
    """Refuse what would put a rung off until it is too late, or send it to another bench."""
    unfit = {
        "background": bool(rung.background),
        "defer": rung.defer,
        "bench": rung.bench is not None,
        "run_once": rung.run_once,
        "retry_on": bool(rung.retries),
    }
    for name in (each for each, given in unfit.items() if given):
        faults.add("E424", f"a rung of recover cannot have {name!r}", at=rung.at)
