"""Steps that run a module or an action: arguments bound, devices taken out of them."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping

from runner.api.judged import Judged
from runner.declaration import Parameter, Verb
from runner.document import Entry, ListNode, MapNode, Node, Scalar
from runner.errors import Faults
from runner.misfits import note_misfits
from runner.model import Action, Bound, Call, Use
from runner.recipe.expressions import conditions
from runner.recipe.fields import is_nothing, keyed, wrong
from runner.recipe.reading import Defaults
from runner.schema import bind


def read_use(verb: Verb, entry: Entry, defaults: Defaults | None, faults: Faults) -> Use:
    """Bind a step's arguments to a module; its own win over those of ``defaults:``."""
    node = given(entry.value)
    devices = _devices(verb, node, faults)
    parameters = verb.parameters
    if defaults is not None:
        parameters = relaxed(parameters, defaults.arguments)
        devices = {**_left(defaults.devices, devices), **devices}
    before = len(faults)
    bound = bind(parameters, node, faults, owner=verb.name, at=entry.key.at, extra=device_keys(verb))
    _refuse_braces(bound, faults)
    arguments = {**defaults.arguments, **bound} if defaults is not None else bound
    if len(faults) == before:
        note_misfits(verb.cls, verb.parameters, arguments, faults, owner=verb.name, at=entry.key.at)
    return Use(verb=verb, arguments=arguments, devices=devices)


def read_defaults(verb: Verb, entry: Entry, faults: Faults) -> Defaults | None:
    """Read what ``defaults:`` says about one module."""
    if not isinstance(entry.value, MapNode):
        wrong(entry.value, f"defaults of {verb.name}", "a mapping of arguments", faults)
        return None
    optional = relaxed(verb.parameters, verb.parameters)
    bound = bind(optional, entry.value, faults, owner=verb.name, at=entry.key.at, extra=device_keys(verb))
    return Defaults(arguments=bound, devices=_devices(verb, entry.value, faults))


def read_call(action: Action, entry: Entry, faults: Faults) -> Call:
    """Bind a step's arguments to an action."""
    bound = bind(action.params, given(entry.value), faults, owner=action.name, at=entry.key.at)
    return Call(action=action, arguments=bound)


def _refuse_braces(bound: Mapping[str, Bound], faults: Faults) -> None:
    """Note braces in arguments that are expressions already."""
    for each in bound.values():
        hint = each.parameter.hint
        if each.node.templated and (hint is Judged or typing.get_args(hint)[:1] == (Judged,)):
            conditions(each.node, each.parameter.name, faults)


def given(node: Node) -> Node | None:
    """Return the value of a module's key; None when nothing stands there."""
    return None if is_nothing(node) else node


def device_keys(verb: Verb) -> tuple[str, ...]:
    """Return the keys that name devices: the slots, and ``device`` when only one is meant."""
    names = [slot.name for slot in verb.slots]
    single = [slot for slot in verb.slots if not slot.every]
    if len(single) == 1 and "device" not in verb.parameters:
        names.append("device")
    return tuple(names)


def relaxed(parameters: Mapping[str, Parameter], known: Mapping[str, object]) -> dict[str, Parameter]:
    """Return the parameters with those in `known` no longer required."""
    return {
        name: dataclasses.replace(each, required=False) if each.required and name in known else each
        for name, each in parameters.items()
    }


def _devices(verb: Verb, node: Node | None, faults: Faults) -> dict[str, Node]:
    if not verb.slots or not isinstance(node, MapNode):
        return {}
    allowed = device_keys(verb)
    entries = keyed(node)
    found = {name: entries[name].value for name in allowed if name in entries}
    single = [slot.name for slot in verb.slots if not slot.every]
    if "device" in found and len(single) == 1 and single[0] in found:
        faults.add(
            "E274",
            f"'device' and {single[0]!r} name the same device of {verb.name}",
            at=entries["device"].key.at,
            hint="leave one of them out",
        )
        del found["device"]
    several = {slot.name for slot in verb.slots if slot.every}
    return {name: value for name, value in found.items() if _names(value, name, name in several, faults)}


def _names(node: Node, what: str, several: bool, faults: Faults) -> bool:
    if isinstance(node, ListNode) and several:
        return all(_names(item, what, several=False, faults=faults) for item in node.items)
    if isinstance(node, Scalar) and isinstance(node.value, str) and node.value:
        return True
    wrong(node, what, "the name of a device" + (" or a list of them" if several else ""), faults)
    return False


def _left(defaults: Mapping[str, Node], own: Mapping[str, Node]) -> dict[str, Node]:
    """Return the default devices that the step does not name itself, under either of their names."""
    if "device" in own or ("device" in defaults and own):
        return {} if len(defaults) <= 1 else {name: node for name, node in defaults.items() if name in own}
    return dict(defaults)
